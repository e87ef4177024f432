// A modal dialog on the browser's own <dialog>: focus, Escape and the backdrop are its work.

import { useEffect, useId, useRef, type ReactElement, type ReactNode } from 'react';

import { Icon } from './icons';

interface DialogProps {
  title: string;
  kind?: 'sheet' | 'full';
  onClose: () => void;
  tools?: ReactNode;
  children: ReactNode;
}

export function Dialog({ title, kind = 'sheet', onClose, tools, children }: DialogProps): ReactElement {
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
      <div className="dialog-body">
        <header className="dialog-head">
          <h2 id={heading}>{title}</h2>
          {tools}
          <button type="button" className="icon-button" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
