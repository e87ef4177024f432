// Share a picture of a chart with a note: through the platform where it can, else as a file or
// over the clipboard. Picture and note are made here and go nowhere but where the person sends them.

import { useEffect, useState, type ReactElement, type RefObject } from 'react';

import type { Doc } from '../../client/engine';
import { readSelections, selectionsInWords } from '../../client/selections';
import { Dialog } from '../parts/dialog';
import { Icon } from '../parts/icons';


interface Props {
  chart: RefObject<HTMLElement | null>;
  doc: Doc;
  title: string;
  app: string;
  origin: string;
  onClose: () => void;
}

type State = 'writing' | 'working' | 'shared' | 'saved' | 'copied' | 'failed';

const SAID: Record<State, string> = {
  writing: '',
  working: '',
  shared: 'Handed over.',
  saved: 'Saved to your downloads.',
  copied: 'Copied to the clipboard.',
  failed: 'The picture could not be made or handed over. Try again, or take a screenshot.',
};

export function ShareDialog({ chart, doc, title, app, origin, onClose }: Props): ReactElement {
  const [note, setNote] = useState('');
  const [state, setState] = useState<State>('writing');
  const [selections, setSelections] = useState('');
  useEffect(() => {
    readSelections(doc, 4).then(
      (found) => setSelections(selectionsInWords(found)),
      () => {},
    );
  }, [doc]);

  const run = async (how: (picture: File) => Promise<State>): Promise<void> => {
    const element = chart.current;
    if (!element) return;
    setState('working');
    try {
      const { pictureOf } = await import('./picture');
      const blob = await pictureOf(element, { app, origin, selections, note: note.trim() });
      setState(await how(new File([blob], `${fileName(title)}.png`, { type: 'image/png' })));
    } catch (thrown) {
      // Who changes their mind in the platform's own dialog has not failed.
      setState((thrown as Error).name === 'AbortError' ? 'writing' : 'failed');
    }
  };
  const share = (picture: File): Promise<State> =>
    navigator.share({ files: [picture], title, text: note.trim() }).then(() => 'shared' as const);
  const copy = (picture: File): Promise<State> =>
    navigator.clipboard.write([new ClipboardItem({ 'image/png': picture })]).then(() => 'copied' as const);

  return (
    <Dialog title="Share a picture" onClose={onClose}>
      <div className="stack" data-testid="share">
        <p>
          {title}
          {selections ? <span className="muted"> · {selections}</span> : null}
        </p>
        <label>
          Note
          <textarea rows={3} maxLength={1000} value={note} onChange={(event) => setNote(event.target.value)} />
        </label>
        <p className="muted">Picture and note are made on this device. Satchel sends them nowhere; who gets the picture sees what is in it.</p>
        <div className="row">
          {canShareFiles() ? (
            <button type="button" className="button button-main" disabled={state === 'working'} onClick={() => void run(share)}>
              <Icon name="share" size={18} /> Share
            </button>
          ) : null}
          <button type="button" className="button" disabled={state === 'working'} onClick={() => void run(save)}>
            <Icon name="download" size={18} /> Save picture
          </button>
          {typeof ClipboardItem === 'undefined' ? null : (
            <button type="button" className="button" disabled={state === 'working'} onClick={() => void run(copy)}>
              <Icon name="copy" size={18} /> Copy picture
            </button>
          )}
        </div>
        <p role="status" data-testid="share-state" data-state={state}>
          {SAID[state]}
        </p>
      </div>
    </Dialog>
  );
}

async function save(picture: File): Promise<State> {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(picture);
  link.download = picture.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return 'saved';
}

function canShareFiles(): boolean {
  if (typeof navigator.share !== 'function' || typeof navigator.canShare !== 'function') return false;
  return navigator.canShare({ files: [new File([], 'x.png', { type: 'image/png' })] });
}

const fileName = (title: string): string => title.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '') || 'chart';
