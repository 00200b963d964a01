// Reads the fields of a body one by one and collects a message for each that does not fit.

import { ValidationFault, type FieldFaults } from "./faults";

export type Body = Record<string, unknown>;

interface Options {
  required?: boolean;
  default?: unknown;
  min?: number;
  max?: number;
}

type Value<T, O> = O extends { required: true } ? T : T | null;

const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
const PHONE = /^\+?[0-9][0-9 ()./-]{3,29}$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const TIME = /^([01]\d|2[0-3]):[0-5]\d$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$/;

export class Reader {
  private readonly faults: FieldFaults = {};
  private readonly body: Body;
  private readonly current: Body | undefined;

  /** `current` is the stored row of a change: it fills in what the body does not name. */
  constructor(body: Body, current?: object) {
    this.body = body;
    this.current = current as Body | undefined;
  }

  text<const O extends Options>(name: string, label: string, options: O): Value<string, O> {
    return this.take(name, label, options, (value) => {
      if (typeof value !== "string") return this.refuse(name, `${label} must be text`);
      return this.short(name, label, value.trim(), options.max ?? 200);
    });
  }

  longtext<const O extends Options>(name: string, label: string, options: O): Value<string, O> {
    return this.text(name, label, options);
  }

  email<const O extends Options>(name: string, label: string, options: O): Value<string, O> {
    return this.pattern(name, label, options, EMAIL, "an email address");
  }

  phone<const O extends Options>(name: string, label: string, options: O): Value<string, O> {
    return this.pattern(name, label, options, PHONE, "a phone number");
  }

  url<const O extends Options>(name: string, label: string, options: O): Value<string, O> {
    return this.take(name, label, options, (value) => {
      const text = typeof value === "string" ? value.trim() : "";
      const isWeb = /^https?:\/\//i.test(text) && URL.canParse(text);
      return isWeb ? this.short(name, label, text, 2000) : this.refuse(name, `${label} must be a web address`);
    });
  }

  integer<const O extends Options>(name: string, label: string, options: O): Value<number, O> {
    return this.number(name, label, options, Number.isSafeInteger, "a whole number");
  }

  decimal<const O extends Options>(name: string, label: string, options: O): Value<number, O> {
    return this.number(name, label, options, Number.isFinite, "a number");
  }

  /** An amount in cents. */
  money<const O extends Options>(name: string, label: string, options: O): Value<number, O> {
    return this.number(name, label, options, Number.isSafeInteger, "an amount", (cents) => (cents / 100).toFixed(2));
  }

  minutes<const O extends Options>(name: string, label: string, options: O): Value<number, O> {
    return this.number(name, label, { ...options, min: 0 } as O, Number.isSafeInteger, "a number of minutes");
  }

  rating<const O extends Options>(name: string, label: string, options: O): Value<number, O> {
    const isRating = (value: unknown) => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 5;
    return this.number(name, label, options, isRating, "a whole number from 1 to 5");
  }

  boolean(name: string, label: string, options: { required?: boolean; default?: boolean } = {}): boolean {
    const value = this.raw(name);
    if (value === undefined || value === null || value === "") return options.default ?? false;
    if (typeof value !== "boolean") this.refuse(name, `${label} must be true or false`);
    return value === true;
  }

  date<const O extends Options>(name: string, label: string, options: O): Value<string, O> {
    return this.take(name, label, options, (value) => {
      const isDate = typeof value === "string" && DATE.test(value) && isCalendarDay(value);
      return isDate ? (value as string) : this.refuse(name, `${label} must be a date`);
    });
  }

  /** An instant; one without a zone is taken as UTC. */
  datetime<const O extends Options>(name: string, label: string, options: O): Value<string, O> {
    return this.take(name, label, options, (value) => {
      const match = typeof value === "string" ? INSTANT.exec(value) : null;
      const instant = match && isCalendarDay(match[0].slice(0, 10)) ? new Date(match[3] ? match[0] : `${match[0]}Z`) : null;
      if (!instant || Number.isNaN(instant.getTime())) return this.refuse(name, `${label} must be a date and time`);
      return instant.toISOString();
    });
  }

  time<const O extends Options>(name: string, label: string, options: O): Value<string, O> {
    return this.pattern(name, label, options, TIME, "a time such as 09:30");
  }

  choice<V extends string, const O extends Options>(name: string, label: string, choices: readonly { value: V }[], options: O): Value<V, O> {
    return this.take(name, label, options, (value) => {
      const choice = choices.find((candidate) => candidate.value === value);
      const values = choices.map((candidate) => candidate.value).join(", ");
      return choice ? choice.value : this.refuse(name, `${label} must be one of ${values}`);
    });
  }

  tags(name: string, label: string, options: { required?: boolean } = {}): string[] {
    const value = this.raw(name) ?? [];
    const isList = Array.isArray(value) && value.every((tag) => typeof tag === "string" && tag.length <= 50);
    if (!isList) {
      this.refuse(name, `${label} must be a list of short texts`);
      return [];
    }
    const tags = [...new Set((value as string[]).map((tag) => tag.trim()).filter(Boolean))];
    if (options.required && tags.length === 0) this.refuse(name, `${label} is required`);
    return tags;
  }

  /** The id of another row; that it exists is checked where the row is written. */
  ref<const O extends Options>(name: string, label: string, options: O): Value<number, O> {
    return this.number(name, label, options, (value) => Number.isSafeInteger(value) && (value as number) > 0, "an existing record");
  }

  /** The id of an account. */
  user<const O extends Options>(name: string, label: string, options: O): Value<number, O> {
    return this.ref(name, label, options);
  }

  /** The name of a stored file; the stored row of a change holds its description instead. */
  file<const O extends Options>(name: string, label: string, options: O): Value<string, O> {
    return this.take(name, label, options, (value) => {
      if (typeof value === "string") return value;
      const stored = (value as { name?: unknown }).name;
      return typeof stored === "string" ? stored : this.refuse(name, `${label} must be an uploaded file`);
    });
  }

  /** Throws what was refused, if anything was. */
  done(): void {
    if (Object.keys(this.faults).length > 0) throw new ValidationFault(this.faults);
  }

  private raw(name: string): unknown {
    return Object.hasOwn(this.body, name) ? this.body[name] : this.current?.[name];
  }

  private refuse(name: string, message: string): null {
    this.faults[name] ??= message;
    return null;
  }

  private take<T, O extends Options>(name: string, label: string, options: O, check: (value: unknown) => T | null): Value<T, O> {
    const given = this.raw(name);
    const value = given === undefined ? options.default : given;
    const isEmpty = value === undefined || value === null || (typeof value === "string" && value.trim() === "");
    if (isEmpty) return (options.required ? this.refuse(name, `${label} is required`) : null) as Value<T, O>;
    // A refused value is null here; done() throws before anybody sees it.
    return check(value) as Value<T, O>;
  }

  private short(name: string, label: string, text: string, max: number): string | null {
    return text.length <= max ? text : this.refuse(name, `${label} must be at most ${max} characters`);
  }

  private pattern<O extends Options>(name: string, label: string, options: O, pattern: RegExp, what: string): Value<string, O> {
    return this.take(name, label, options, (value) => {
      const text = typeof value === "string" ? value.trim() : "";
      return pattern.test(text) && text.length <= 320 ? text : this.refuse(name, `${label} must be ${what}`);
    });
  }

  private number<O extends Options>(
    name: string, label: string, options: O, fits: (value: unknown) => boolean, what: string, show: (value: number) => string = String,
  ): Value<number, O> {
    return this.take(name, label, options, (value) => {
      if (typeof value !== "number" || !fits(value)) return this.refuse(name, `${label} must be ${what}`);
      if (options.min !== undefined && value < options.min) return this.refuse(name, `${label} must be at least ${show(options.min)}`);
      if (options.max !== undefined && value > options.max) return this.refuse(name, `${label} must be at most ${show(options.max)}`);
      return value;
    });
  }
}

function isCalendarDay(day: string): boolean {
  const instant = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(instant.getTime()) && instant.toISOString().startsWith(day);
}
