// A modal dialog on the browser's own <dialog>: focus, Escape and the backdrop are its work.
//
// Only where charts are drawn in it we do that work: nebula opens the toolbar of a selection and
// its menus beside the page, and what is beside the page lies under an open <dialog>.

import { useEffect, useId, useRef, type ReactElement, type ReactNode, type SyntheticEvent } from 'react';
import { createPortal } from 'react-dom';

import { Icon } from './icons';

interface DialogProps {
  title: string;
  kind?: 'sheet' | 'full';
  onClose: () => void;
  tools?: ReactNode;
  /** Whether charts are drawn in it, which can be selected in. */
  charts?: boolean;
  children: ReactNode;
}

export function Dialog(props: DialogProps): ReactElement {
  return props.charts ? <ChartDialog {...props} /> : <PlainDialog {...props} />;
}

function PlainDialog({ title, kind = 'sheet', onClose, tools, children }: DialogProps): ReactElement {
  const ref = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (dialog && !dialog.open) dialog.showModal();
    dialog?.querySelector<HTMLElement>('[data-focus-first]')?.focus();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={ref}
      className={`dialog dialog-${kind}`}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === ref.current) onClose();
      }}
    >
      <Body heading={heading} title={title} tools={tools} onClose={onClose}>
        {children}
      </Body>
    </dialog>
  );
}

/** While a selection is being made, Escape gives that up and not the dialog. */
const SELECTING = '[data-testid="actions-toolbar-cancel"]:not(:disabled)';

function ChartDialog({ title, kind = 'sheet', onClose, tools, children }: DialogProps): ReactElement {
  const ref = useRef<HTMLDivElement>(null);
  const heading = useId();
  useEffect(() => {
    const page = document.getElementById('root');
    const before = document.activeElement;
    if (page) page.inert = true;
    ref.current?.focus();
    return () => {
      if (page) page.inert = false;
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape' || event.defaultPrevented) return;
      if (!document.querySelector(`dialog[open], ${SELECTING}`)) onClose();
    };
    // Before nebula has heard of the key, and taken its toolbar away.
    addEventListener('keydown', pressed, { capture: true });
    return () => removeEventListener('keydown', pressed, { capture: true });
  }, [onClose]);
  // A finger that moves over a chart is not on its way to the next sheet.
  const stay = (event: SyntheticEvent): void => event.stopPropagation();
  return createPortal(
    <div className="above" onTouchStart={stay} onTouchEnd={stay}>
      <div className="above-shade" onClick={onClose} />
      <div ref={ref} role="dialog" tabIndex={-1} className={`dialog dialog-${kind}`} aria-labelledby={heading}>
        <Body heading={heading} title={title} tools={tools} onClose={onClose}>
          {children}
        </Body>
      </div>
    </div>,
    document.body,
  );
}

function Body(props: { heading: string; title: string; tools: ReactNode; onClose: () => void; children: ReactNode }): ReactElement {
  return (
    <div className="dialog-body">
      <header className="dialog-head">
        <h2 id={props.heading}>{props.title}</h2>
        {props.tools}
        <button type="button" className="icon-button" aria-label="Close" onClick={props.onClose}>
          <Icon name="close" />
        </button>
      </header>
      {props.children}
    </div>
  );
}
