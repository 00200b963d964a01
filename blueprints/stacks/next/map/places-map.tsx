"use client";

import Link from "next/link";
import { useState } from "react";

export interface Place {
  href: string;
  title: string;
  lat: number;
  lng: number;
}

const WIDTH = 800;
const HEIGHT = 520;
const MARGIN = 60;

/** Steps of a grid that reads well: 1, 2 or 5 times a power of ten. */
function stepOf(span: number): number {
  const rough = span / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * (rough / power >= 5 ? 5 : rough / power >= 2 ? 2 : 1);
}

function linesOf(from: number, to: number): number[] {
  const step = stepOf(to - from);
  const lines: number[] = [];
  for (let at = Math.ceil(from / step); at * step <= to; at++) lines.push(Number((at * step).toFixed(6)));
  return lines;
}

/** The part of the earth that holds all places, in the shape of the drawing. */
function frameOf(places: Place[]) {
  const lats = places.map((place) => place.lat);
  const lngs = places.map((place) => place.lng);
  const lat = (Math.min(...lats) + Math.max(...lats)) / 2;
  const lng = (Math.min(...lngs) + Math.max(...lngs)) / 2;
  // A degree of longitude is shorter away from the equator.
  const squeeze = Math.max(0.05, Math.cos((lat * Math.PI) / 180));
  const height = Math.max(Math.max(...lats) - Math.min(...lats), 0.01);
  const width = Math.max((Math.max(...lngs) - Math.min(...lngs)) * squeeze, 0.01);
  const scale = Math.min((WIDTH - 2 * MARGIN) / width, (HEIGHT - 2 * MARGIN) / height);
  return {
    x: (value: number) => WIDTH / 2 + (value - lng) * squeeze * scale,
    y: (value: number) => HEIGHT / 2 - (value - lat) * scale,
    lats: linesOf(lat - HEIGHT / 2 / scale, lat + HEIGHT / 2 / scale),
    lngs: linesOf(lng - WIDTH / 2 / scale / squeeze, lng + WIDTH / 2 / scale / squeeze),
  };
}

export function PlacesMap({ places }: { places: Place[] }) {
  const [active, setActive] = useState(-1);
  const frame = frameOf(places);
  const watch = (index: number) => ({
    onMouseEnter: () => setActive(index),
    onMouseLeave: () => setActive(-1),
    onFocus: () => setActive(index),
    onBlur: () => setActive(-1),
  });
  return (
    <div className="map">
      <svg className="map-drawing card" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="group" aria-label="Map of the places">
        {frame.lngs.map((line) => (
          <g key={line} className="map-line">
            <line x1={frame.x(line)} x2={frame.x(line)} y1={0} y2={HEIGHT} />
            <text x={frame.x(line) + 5} y={HEIGHT - 8}>
              {line}°
            </text>
          </g>
        ))}
        {frame.lats.map((line) => (
          <g key={line} className="map-line">
            <line x1={0} x2={WIDTH} y1={frame.y(line)} y2={frame.y(line)} />
            <text x={8} y={frame.y(line) - 5}>
              {line}°
            </text>
          </g>
        ))}
        {places.map((place, at) => (
          <Link key={place.href} href={place.href} className={at === active ? "map-pin is-active" : "map-pin"} aria-label={place.title} {...watch(at)}>
            <g transform={`translate(${frame.x(place.lng)} ${frame.y(place.lat)})`}>
              <path d="M0 0c-7-9-12-14.5-12-21a12 12 0 0 1 24 0c0 6.5-5 12-12 21z" />
              <circle cy={-21} r={4.5} />
              <text y={18} textAnchor="middle">
                {place.title}
              </text>
            </g>
          </Link>
        ))}
      </svg>
      <ol className="card rows map-list">
        {places.map((place, at) => (
          <li key={place.href}>
            <Link className={at === active ? "row-link is-active" : "row-link"} href={place.href} {...watch(at)}>
              <span className="row-title">{place.title}</span>
              <span className="muted num">
                {place.lat.toFixed(3)}, {place.lng.toFixed(3)}
              </span>
            </Link>
          </li>
        ))}
      </ol>
    </div>
  );
}
