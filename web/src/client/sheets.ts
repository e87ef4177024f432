// The sheets of an app, read with plain engine calls.

import type { Doc } from './engine';

export interface Cell {
  name: string;
  type: string;
  /** As its author titled it; empty if it has no title. */
  title: string;
  col: number;
  row: number;
  colspan: number;
  rowspan: number;
}

export interface Sheet {
  id: string;
  title: string;
  description: string;
  rank: number;
  columns: number;
  rows: number;
  cells: Cell[];
}

interface SheetLayout {
  qInfo: { qId: string };
  qMeta?: { title?: string; description?: string };
  rank?: number;
  columns?: number;
  rows?: number;
  cells?: Partial<Cell>[];
  qChildList?: { qItems?: { qInfo: { qId: string }; qData?: { title?: unknown } }[] };
}

/** All sheets, in the order their author gave them. */
export async function readSheets(doc: Doc): Promise<Sheet[]> {
  const infos = await doc.getAllInfos();
  const sheets = await Promise.all(
    infos
      .filter((info) => info.qType === 'sheet')
      .map((info) => readSheet(doc, info.qId)),
  );
  return sheets.sort((a, b) => a.rank - b.rank || a.title.localeCompare(b.title));
}

async function readSheet(doc: Doc, id: string): Promise<Sheet> {
  const layout = (await (await doc.getObject(id)).getLayout()) as unknown as SheetLayout;
  const titles = new Map<string, string>();
  for (const { qInfo, qData } of layout.qChildList?.qItems ?? []) {
    if (typeof qData?.title === 'string') titles.set(qInfo.qId, qData.title);
  }
  return toSheet(layout, titles);
}

/** Top to bottom and left to right: the order of a narrow screen and of reading aloud. */
export function readingOrder(cells: Cell[]): Cell[] {
  return [...cells].sort((a, b) => a.row - b.row || a.col - b.col);
}

function toSheet(layout: SheetLayout, titles: Map<string, string>): Sheet {
  return {
    id: layout.qInfo.qId,
    title: layout.qMeta?.title || 'Sheet',
    description: layout.qMeta?.description ?? '',
    rank: layout.rank ?? 0,
    columns: layout.columns ?? 24,
    rows: layout.rows ?? 12,
    cells: (layout.cells ?? []).flatMap((cell) =>
      cell.name && cell.type
        ? [{ name: cell.name, type: cell.type, title: titles.get(cell.name) ?? '', col: cell.col ?? 0, row: cell.row ?? 0, colspan: cell.colspan ?? 6, rowspan: cell.rowspan ?? 4 }]
        : [],
    ),
  };
}
