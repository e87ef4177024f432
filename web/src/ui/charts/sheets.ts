// The sheets of an app, read with plain engine calls.

import type { Doc } from '../../client/engine';

export interface Cell {
  name: string;
  type: string;
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
}

/** All sheets, in the order their author gave them. */
export async function readSheets(doc: Doc): Promise<Sheet[]> {
  const infos = await doc.getAllInfos();
  const sheets = await Promise.all(
    infos
      .filter((info) => info.qType === 'sheet')
      .map(async (info) => toSheet((await (await doc.getObject(info.qId)).getLayout()) as unknown as SheetLayout)),
  );
  return sheets.sort((a, b) => a.rank - b.rank || a.title.localeCompare(b.title));
}

/** Filters first, then top to bottom and left to right: the order of a narrow screen and of reading aloud. */
export function readingOrder(cells: Cell[]): Cell[] {
  return [...cells].sort((a, b) => a.row - b.row || a.col - b.col);
}

function toSheet(layout: SheetLayout): Sheet {
  return {
    id: layout.qInfo.qId,
    title: layout.qMeta?.title || 'Sheet',
    description: layout.qMeta?.description ?? '',
    rank: layout.rank ?? 0,
    columns: layout.columns ?? 24,
    rows: layout.rows ?? 12,
    cells: (layout.cells ?? []).flatMap((cell) =>
      cell.name && cell.type
        ? [{ name: cell.name, type: cell.type, col: cell.col ?? 0, row: cell.row ?? 0, colspan: cell.colspan ?? 6, rowspan: cell.rowspan ?? 4 }]
        : [],
    ),
  };
}
