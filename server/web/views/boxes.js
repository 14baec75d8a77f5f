// Boxes around whoever was found, drawn over the picture they were found in.

import { number } from "../format.js";

/**
 * @param {HTMLCanvasElement} canvas its colours are the boxes', too
 * @param {object} app of router.js
 * @param {object} sure of sureness.js
 * @returns {import("../stage.js").Paint}
 */
export function boxPainter(canvas, { language, t }, sure) {
  const { color, backgroundColor, fontFamily } = getComputedStyle(canvas);
  return (pen, { width, scale, x, y, before, after, weight }) => {
    const { frame, matches = [] } = before;
    for (const match of matches) {
      const next = after.matches?.find(({ track_id }) => track_id === match.track_id) ?? match;
      const [x0, y0, x1, y1] = match.bbox.map((from, at) => {
        const now = from + (next.bbox[at] - from) * weight;
        return at % 2 ? y(now / frame.height) : x(now / frame.width);
      });
      pen.fillStyle = pen.strokeStyle = color;
      pen.lineWidth = 3 * scale;
      pen.beginPath();
      pen.roundRect(x0, y0, x1 - x0, y1 - y0, 10 * scale);
      pen.stroke();

      const values = {
        distance: number(match.distance, language, 2),
        sure: t(`find.sure.${sure.of(match.distance)}`),
      };
      const text = t("find.label", values);
      pen.font = `600 ${14 * scale}px ${fontFamily}`;
      pen.textAlign = "left";
      pen.textBaseline = "middle";
      const [high, wide] = [26 * scale, pen.measureText(text).width + 18 * scale];
      // Above the box, or in it where there is no room; never out of the picture.
      const left = Math.max(0, Math.min(x0 - 1.5 * scale, width - wide));
      const top = y0 > high + 6 * scale ? y0 - high - 5 * scale : Math.max(y0, 0) + 6 * scale;
      pen.beginPath();
      pen.roundRect(left, top, wide, high, high / 2);
      pen.fill();
      pen.fillStyle = backgroundColor;
      pen.fillText(text, left + 9 * scale, top + high / 2 + scale);
    }
  };
}
