// Bookmarks of an app, and a link to the view as it is now.

import { useEffect, useState, type FormEvent, type ReactElement } from 'react';

import { addBookmark, applyBookmark, listBookmarks, removeBookmark, type Bookmark } from '../../client/bookmarks';
import type { Doc } from '../../client/engine';
import { toFailure, type Failure } from '../../client/result';
import { encodeSelections, readSelections, selectionsInWords } from '../../client/selections';
import { Dialog } from '../parts/dialog';
import { FailureNote } from '../parts/failure';
import { Icon } from '../parts/icons';
import { hrefOf } from '../router';

interface Props {
  doc: Doc;
  app: string;
  sheet: { id: string; title: string };
  onGo: (sheet: string | null) => void;
  onClose: () => void;
}

export function BookmarksDialog({ doc, app, sheet, onGo, onClose }: Props): ReactElement {
  const [bookmarks, setBookmarks] = useState<Bookmark[] | null>(null);
  const [now, setNow] = useState<string | null>(null);
  const [title, setTitle] = useState('');
  const [failure, setFailure] = useState<Failure | null>(null);

  const run = async (work: () => Promise<unknown>): Promise<boolean> => {
    setFailure(null);
    try {
      await work();
      return true;
    } catch (thrown) {
      setFailure(toFailure(thrown));
      return false;
    }
  };
  const refresh = (): Promise<boolean> => run(async () => setBookmarks(await listBookmarks(doc)));
  useEffect(() => {
    void refresh();
    void run(async () => setNow(selectionsInWords(await readSelections(doc, 4))));
  }, [doc]);

  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const name = title.trim() || now || sheet.title;
    if (await run(() => addBookmark(doc, name, sheet.id))) {
      setTitle('');
      await refresh();
    }
  };
  const apply = async (bookmark: Bookmark): Promise<void> => {
    if (await run(() => applyBookmark(doc, bookmark.id))) {
      onGo(bookmark.sheet);
      onClose();
    }
  };

  return (
    <Dialog title="Bookmarks" onClose={onClose}>
      <div className="stack" data-testid="bookmarks">
        <form className="bookmark-new" onSubmit={(event) => void save(event)}>
          <label>
            Keep this view as
            <input name="bookmark" maxLength={120} placeholder={now || sheet.title} value={title} onChange={(event) => setTitle(event.target.value)} />
          </label>
          <button type="submit" className="button button-main">
            <Icon name="bookmark" size={18} /> Add bookmark
          </button>
        </form>
        {failure ? <FailureNote failure={failure} /> : null}
        {bookmarks === null ? (
          <div className="skeleton skeleton-row" aria-hidden="true" />
        ) : bookmarks.length === 0 ? (
          <p className="muted">No bookmarks yet. A bookmark keeps the selections and the sheet; only you see it.</p>
        ) : (
          <ul className="rows">
            {bookmarks.map((bookmark) => (
              <li key={bookmark.id} data-testid="bookmark">
                <button type="button" className="row-main" onClick={() => void apply(bookmark)}>
                  <Icon name="bookmark" size={18} filled={bookmark.own} />
                  <span className="grow">{bookmark.title}</span>
                  <span className="hidden">: apply</span>
                </button>
                {bookmark.own ? (
                  <button
                    type="button"
                    className="icon-button"
                    aria-label={`Remove bookmark ${bookmark.title}`}
                    onClick={() => void run(() => removeBookmark(doc, bookmark.id)).then(refresh)}
                  >
                    <Icon name="trash" />
                  </button>
                ) : null}
              </li>
            ))}
          </ul>
        )}
        <ViewLink doc={doc} app={app} sheet={sheet.id} />
      </div>
    </Dialog>
  );
}

/** The address of this view. It is shown too, so that it can be copied where the clipboard is refused. */
function ViewLink({ doc, app, sheet }: { doc: Doc; app: string; sheet: string }): ReactElement {
  const [link, setLink] = useState<string | null>(null);
  const [copied, setCopied] = useState(false);
  const [tooLong, setTooLong] = useState(false);
  const make = async (): Promise<void> => {
    const selections = await readSelections(doc);
    const encoded = selections.length === 0 ? '' : encodeSelections(selections);
    if (encoded === null) {
      setTooLong(true);
      return;
    }
    const url = new URL(location.pathname, location.href);
    url.hash = hrefOf({ page: 'app', app, sheet, local: false, select: encoded || null });
    setLink(url.href);
    try {
      await navigator.clipboard.writeText(url.href);
      setCopied(true);
    } catch {
      setCopied(false);
    }
  };
  return (
    <section className="view-link stack" aria-label="Link to this view">
      <button type="button" className="button" onClick={() => void make()}>
        <Icon name="link" size={18} /> Copy a link to this view
      </button>
      <p className="muted">
        The link names the sheet and the selected values. Whoever opens it must sign in, and sees only what they may see.
      </p>
      {link ? (
        <label>
          <span role="status">{copied ? 'Copied to the clipboard' : 'Copy this address'}</span>
          <input readOnly value={link} data-testid="view-link" onFocus={(event) => event.target.select()} />
        </label>
      ) : null}
      {tooLong ? (
        <p className="note" role="status">
          Too many values are selected for a link. Keep the view as a bookmark, or select fewer values.
        </p>
      ) : null}
    </section>
  );
}
