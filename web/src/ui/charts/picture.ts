// A picture of a chart with a note under it, made in this page and nowhere else.

import { toCanvas } from 'html-to-image';

export interface PictureText {
  app: string;
  /** Where it is from and how fresh: `Sales · data as of 24 November 11:02`. */
  origin: string;
  /** Selections in words; empty if there are none. */
  selections: string;
  note: string;
}

const PADDING = 24;
const LINE = 24;
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif';

/** Twice as sharp as the screen of a desk, sharp enough for a phone. */
const SCALE = 2;

/** Draws `element` as it stands, the texts around it, and gives a PNG. */
export async function pictureOf(element: HTMLElement, text: PictureText): Promise<Blob> {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const chart = await toCanvas(element, { pixelRatio: SCALE, skipFonts: true, backgroundColor: color('--surface') });
  const width = chart.width / SCALE;

  const canvas = document.createElement('canvas');
  const pen = canvas.getContext('2d');
  if (!pen) throw new Error('this browser gives no canvas');
  const body = `15px ${FONT}`;
  pen.font = body;
  const note = wrapped(pen, text.note, width);
  const selections = wrapped(pen, text.selections, width);
  const head = LINE * (2 + selections.length) + 8;
  const foot = note.length > 0 ? 16 + note.length * LINE : 0;
  canvas.width = (width + 2 * PADDING) * SCALE;
  canvas.height = (head + chart.height / SCALE + foot + 2 * PADDING) * SCALE;

  pen.scale(SCALE, SCALE);
  pen.fillStyle = color('--surface');
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.textBaseline = 'top';
  let y = PADDING;
  const write = (line: string, font: string, ink: string): void => {
    pen.font = font;
    pen.fillStyle = color(ink);
    pen.fillText(line, PADDING, y, width);
    y += LINE;
  };
  write(text.app, `650 18px ${FONT}`, '--text');
  write(text.origin, `13px ${FONT}`, '--muted');
  for (const line of selections) write(line, `13px ${FONT}`, '--muted');
  y = PADDING + head;
  pen.drawImage(chart, PADDING, y, width, chart.height / SCALE);
  y += chart.height / SCALE + 16;
  for (const line of note) write(line, body, '--text');

  return new Promise((done, fail) => {
    canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error('this browser made no picture'))), 'image/png');
  });
}

/** `text` in lines no wider than `width`, broken between words where it can be. */
function wrapped(pen: CanvasRenderingContext2D, text: string, width: number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (const word of paragraph.split(/\s+/).filter(Boolean)) {
      const longer = line ? `${line} ${word}` : word;
      if (line && pen.measureText(longer).width > width) {
        lines.push(line);
        line = word;
      } else {
        line = longer;
      }
    }
    if (line) lines.push(line);
  }
  return lines;
}
