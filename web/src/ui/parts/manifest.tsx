// What a download holds, in plain words and table by table.

import type { ReactElement } from 'react';

import type { TableRows } from '../../client/wire';
import { count, plural } from '../format';

export interface Kept {
  tables: TableRows[];
  fields_withheld: number;
}

/** `18,204 of 336,776 rows, 1 field withheld`. */
export function keptInWords({ tables, fields_withheld }: Kept): string {
  const kept = tables.reduce((sum, table) => sum + table.rows_out, 0);
  const all = tables.reduce((sum, table) => sum + table.rows_in, 0);
  const rows = kept === all ? `all ${plural(all, 'row')}` : `${count(kept)} of ${plural(all, 'row')}`;
  const fields = fields_withheld === 0 ? 'no field withheld' : `${plural(fields_withheld, 'field')} withheld`;
  return `${rows}, ${fields}`;
}

export function TableList({ tables }: { tables: TableRows[] }): ReactElement {
  return (
    <div className="scroll-x">
      <table className="plain">
        <thead>
          <tr>
            <th scope="col">Table</th>
            <th scope="col" className="num">
              Rows for you
            </th>
            <th scope="col" className="num">
              Rows in all
            </th>
          </tr>
        </thead>
        <tbody>
          {tables.map((table) => (
            <tr key={table.name}>
              <th scope="row">{table.name}</th>
              <td className="num">{count(table.rows_out)}</td>
              <td className="num">{count(table.rows_in)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
