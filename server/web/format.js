// Numbers and moments as people read them.

/** 65 as "1:05". */
export function clock(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const [hours, minutes] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  const two = (n) => String(n).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(s % 60)}` : `${minutes}:${two(s % 60)}`;
}

/** 12_345_678 as "12.3 MB". */
export function megabytes(bytes, language) {
  const unit = { style: "unit", unit: "megabyte", maximumFractionDigits: bytes < 1e8 ? 1 : 0 };
  return new Intl.NumberFormat(language, unit).format(bytes / 1e6);
}

/** A number with so many digits behind the point. */
export function number(value, language, digits = 0) {
  const all = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(language, all).format(value);
}

/** A moment, ms since the epoch: "Nov 21, 05:40 PM". */
export function moment(ms, language) {
  const how = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
  return new Intl.DateTimeFormat(language, how).format(ms);
}
