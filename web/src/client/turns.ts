// Answers that a selection has overtaken.

interface Request {
  method: string;
  retry(): Promise<unknown>;
}

const TURNS = new Set(['BeginSelections', 'EndSelections', 'AbortModal']);

/**
 * Interceptors for enigma.js. A chart learns from its layout whether it is being selected in: a
 * layout that was asked for before a selection began or ended would end the new selection, or
 * begin the old one again. Such a layout is asked for once more and never shown.
 */
export function layoutsInTurn(): {
  request: { onFulfilled(session: unknown, request: Request): Request };
  response: { onFulfilled(session: unknown, request: Request, result: unknown): unknown };
} {
  let turn = 0;
  const asked = new WeakMap<Request, number>();
  return {
    request: {
      onFulfilled(_session, request) {
        if (TURNS.has(request.method)) turn += 1;
        else if (request.method === 'GetLayout') asked.set(request, turn);
        return request;
      },
    },
    response: {
      onFulfilled(_session, request, result) {
        const overtaken = request.method === 'GetLayout' && asked.get(request) !== turn;
        return overtaken ? request.retry() : result;
      },
    },
  };
}
