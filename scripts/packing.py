"""packing: files as C, for the scripts that pack them."""


def c_string(data):
    """A C string literal, a line of it for each line of data. Octal escapes take at most three digits: no digit that
    follows can be taken for part of one."""
    special = {ord("\\"): "\\\\", ord('"'): '\\"', ord("\n"): "\\n", ord("\t"): "\\t", ord("?"): "\\?"}
    lines = data.splitlines(keepends=True) if b"\n" in data else [data]
    return "\n    ".join(
        '"' + "".join(special.get(b) or (chr(b) if 32 <= b < 127 else "\\%03o" % b) for b in line) + '"'
        for line in lines or [b""])


def write_depfile(depfile, target, sources):
    """For ninja: target is made again when one of sources changes. A folder changes when a file in it comes or goes."""
    with open(depfile, "w", encoding="utf-8") as deps:
        escaped = [str(path).replace(" ", "\\ ") for path in sources]
        deps.write("%s: %s\n" % (target, " ".join(escaped)))
