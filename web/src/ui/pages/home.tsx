// Home: favourites, the person's own apps, the streams, and a search over them.

import { useDeferredValue, useState, type ReactElement } from 'react';

import type { AppEntry } from '../../client/wire';
import { appState, favourites, storedApp, toggleFavourite } from '../app-state';
import { AppCard } from '../parts/app-card';
import { DownloadDialog } from '../parts/download-dialog';
import { FailurePage } from '../parts/failure';
import { Icon } from '../parts/icons';
import { Shell } from '../parts/shell';
import { hubName, loadApps, reconnect, useDevice, useSession } from '../session';

export function HomePage(): ReactElement {
  const { online, me } = useSession();
  return (
    <Shell>
      <div className="page">{online && me ? <Catalogue /> : <WithoutHub />}</div>
    </Shell>
  );
}

function Catalogue(): ReactElement {
  const { apps, appsError, me } = useSession();
  const device = useDevice();
  const [query, setQuery] = useState('');
  const [starred, setStarred] = useState(favourites);
  const [asked, setAsked] = useState<AppEntry | null>(null);
  const wanted = useDeferredValue(query.trim().toLocaleLowerCase());

  if (appsError) {
    return (
      <FailurePage failure={appsError}>
        <button type="button" className="button button-main" onClick={() => void loadApps()}>
          Try again
        </button>
      </FailurePage>
    );
  }
  const streams = new Map(apps?.streams.map((stream) => [stream.id, stream.name]));
  const found = (apps?.apps ?? []).filter((app) =>
    [app.title, app.description, streams.get(app.stream ?? '') ?? ''].some((text) => text.toLocaleLowerCase().includes(wanted)),
  );
  const groups: { name: string; apps: AppEntry[] }[] = [
    { name: 'Favourites', apps: found.filter((app) => starred.has(app.id)) },
    { name: 'Yours', apps: found.filter((app) => app.stream === null && !starred.has(app.id)) },
    ...(apps?.streams ?? []).map((stream) => ({
      name: stream.name,
      apps: found.filter((app) => app.stream === stream.id && !starred.has(app.id)),
    })),
  ];

  return (
    <>
      <header className="page-head">
        <div>
          <h1>Apps</h1>
          <p className="muted">
            {hubName()} · {me?.name || me?.user}
          </p>
        </div>
        <label className="search">
          <span className="hidden">Search apps</span>
          <Icon name="search" />
          <input type="search" placeholder="Search apps" value={query} onChange={(event) => setQuery(event.target.value)} />
        </label>
      </header>
      {apps === null ? <CardSkeletons /> : null}
      <div className="groups">
      {groups
        .filter((group) => group.apps.length > 0)
        .map((group) => (
          <section key={group.name} className={group.apps.length > 1 ? 'group group-wide' : 'group'} aria-label={group.name}>
            <h2>{group.name}</h2>
            <ul className="cards">
              {group.apps.map((app) => (
                <AppCard
                  key={app.id}
                  app={app.id}
                  title={app.title}
                  description={app.description}
                  stream={streams.get(app.stream ?? '') ?? 'Yours'}
                  dataAsOf={app.data_as_of}
                  bytes={storedApp(device, app.id)?.size ?? app.size}
                  state={appState(device, app.id, app)}
                  favourite={starred.has(app.id)}
                  onFavourite={() => setStarred(toggleFavourite(app.id))}
                  onDownload={() => setAsked(app)}
                />
              ))}
            </ul>
          </section>
        ))}
      </div>
      {apps !== null && found.length === 0 ? (
        <div className="empty">
          <Icon name="search" size={32} />
          <p>{wanted ? `No app matches “${query.trim()}”.` : 'There is no app here for you yet. Ask your administrator to add you to a stream.'}</p>
        </div>
      ) : null}
      {asked ? <DownloadDialog app={asked.id} title={asked.title} onClose={() => setAsked(null)} /> : null}
    </>
  );
}

function WithoutHub(): ReactElement {
  const device = useDevice();
  return (
    <>
      <header className="page-head">
        <div>
          <h1>Apps</h1>
          <p className="muted">Without the hub you see what is on this device.</p>
        </div>
        <button type="button" className="button" onClick={() => void reconnect()}>
          Try the hub again
        </button>
      </header>
      {device.apps.length > 0 ? (
        <ul className="cards">
          {device.apps.map((stored) => (
            <AppCard
              key={stored.app}
              app={stored.app}
              title={stored.manifest.title}
              description=""
              stream="On this device"
              dataAsOf={stored.manifest.data_as_of}
              bytes={stored.size}
              state={appState(device, stored.app, null)}
              local
            />
          ))}
        </ul>
      ) : (
        <div className="empty" data-testid="nothing-offline">
          <Icon name="offline" size={32} />
          <p>The hub does not answer, and nothing has been downloaded to this device.</p>
        </div>
      )}
    </>
  );
}

function CardSkeletons(): ReactElement {
  return (
    <div className="group" aria-hidden="true">
      <div className="skeleton skeleton-line" />
      <div className="cards">
        {[0, 1, 2].map((n) => (
          <div key={n} className="card skeleton skeleton-card" />
        ))}
      </div>
    </div>
  );
}
