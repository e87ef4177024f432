// Home: favourites, the person's own apps, the streams, and a search over apps, sheets and
// charts. Without the hub: the same for what is on this device.

import { useDeferredValue, useEffect, useState, type ReactElement, type ReactNode } from 'react';

import { hub } from '../../client/api';
import { DeviceIndex } from '../../client/search';
import type { AppEntry, SearchHit } from '../../client/wire';
import { appState, favourites, storedApp, toggleFavourite } from '../app-state';
import { plural } from '../format';
import { AppCard } from '../parts/app-card';
import { DownloadDialog } from '../parts/download-dialog';
import { FailurePage } from '../parts/failure';
import { HitList } from '../parts/hits';
import { Icon } from '../parts/icons';
import { useNow } from '../parts/lease';
import { RemovedNotice } from '../parts/removed-notice';
import { Shell } from '../parts/shell';
import { LeaseOver } from './on-device';
import { device, hubName, loadApps, reconnect, useDevice, useSession } from '../session';

/** Titles of sheets and charts are asked for once typing pauses. */
const PAUSE_MS = 200;

const onDevice = new DeviceIndex(device);

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
  const view = useDevice();
  const [query, setQuery] = useState('');
  const [starred, setStarred] = useState(favourites);
  const [asked, setAsked] = useState<AppEntry | null>(null);
  const now = useNow();
  const wanted = useDeferredValue(query.trim().toLocaleLowerCase());
  const hits = useHits(wanted, searchHub);

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
  const found = (apps?.apps ?? []).filter((app) => matches(wanted, app.title, app.description, streams.get(app.stream ?? '')));
  const groups: { name: string; apps: AppEntry[] }[] = [
    { name: 'Favourites', apps: found.filter((app) => starred.has(app.id)) },
    { name: 'Yours', apps: found.filter((app) => app.stream === null && !starred.has(app.id)) },
    ...(apps?.streams ?? []).map((stream) => ({
      name: stream.name,
      apps: found.filter((app) => app.stream === stream.id && !starred.has(app.id)),
    })),
  ];
  const nothing = apps !== null && found.length === 0 && hits !== null && hits.length === 0;

  return (
    <>
      <Head text={`${hubName()} · ${me?.name || me?.user}`}>
        <SearchField value={query} onChange={setQuery} />
      </Head>
      <RemovedNotice />
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
                    bytes={storedApp(view, app.id)?.size ?? app.size}
                    state={appState(view, app.id, app, now)}
                    favourite={starred.has(app.id)}
                    onFavourite={() => setStarred(toggleFavourite(app.id))}
                    onDownload={() => setAsked(app)}
                  />
                ))}
              </ul>
            </section>
          ))}
      </div>
      <HitList hits={hits ?? []} titleOf={(id) => apps?.apps.find((app) => app.id === id)?.title ?? ''} local={false} />
      <Found wanted={wanted} n={hits === null ? null : found.length + hits.length} />
      {nothing ? (
        <div className="empty">
          <Icon name="search" size={32} />
          <p>
            {wanted
              ? `No app, sheet or chart matches “${query.trim()}”.`
              : 'There is no app here for you yet. Ask your administrator to add you to a stream.'}
          </p>
        </div>
      ) : null}
      {asked ? <DownloadDialog app={asked.id} title={asked.title} onClose={() => setAsked(null)} /> : null}
    </>
  );
}

function WithoutHub(): ReactElement {
  const view = useDevice();
  const [query, setQuery] = useState('');
  const [starred, setStarred] = useState(favourites);
  const now = useNow();
  const wanted = useDeferredValue(query.trim().toLocaleLowerCase());
  const hits = useHits(wanted, searchDevice);
  const found = view.apps
    .filter((stored) => matches(wanted, stored.manifest.title))
    .sort((a, b) => Number(starred.has(b.app)) - Number(starred.has(a.app)));
  return (
    <>
      <Head text="Without the hub you see what is on this device.">
        {view.apps.length > 0 ? <SearchField value={query} onChange={setQuery} /> : null}
        <button type="button" className="button" onClick={() => void reconnect()}>
          Try the hub again
        </button>
      </Head>
      <RemovedNotice />
      {view.apps.length > 0 && view.lease?.state === 'closed' && view.lease.failure ? <LeaseOver failure={view.lease.failure} /> : null}
      {found.length > 0 ? (
        <ul className="cards">
          {found.map((stored) => (
            <AppCard
              key={stored.app}
              app={stored.app}
              title={stored.manifest.title}
              description=""
              stream="On this device"
              dataAsOf={stored.manifest.data_as_of}
              bytes={stored.size}
              state={appState(view, stored.app, null, now)}
              favourite={starred.has(stored.app)}
              onFavourite={() => setStarred(toggleFavourite(stored.app))}
              local
            />
          ))}
        </ul>
      ) : null}
      <HitList hits={hits ?? []} titleOf={(id) => storedApp(view, id)?.manifest.title ?? ''} local />
      <Found wanted={wanted} n={hits === null ? null : found.length + hits.length} />
      {view.apps.length === 0 ? (
        <div className="empty" data-testid="nothing-offline">
          <Icon name="offline" size={32} />
          <p>The hub does not answer, and nothing has been downloaded to this device.</p>
        </div>
      ) : wanted && found.length === 0 && hits?.length === 0 ? (
        <div className="empty">
          <Icon name="search" size={32} />
          <p>Nothing on this device matches “{query.trim()}”.</p>
        </div>
      ) : null}
    </>
  );
}

/** What the titles of sheets and charts give for `wanted`; null while that is asked. */
function useHits(wanted: string, search: (words: string) => Promise<SearchHit[]>): SearchHit[] | null {
  const [answer, setAnswer] = useState<{ wanted: string; hits: SearchHit[] }>({ wanted: '', hits: [] });
  useEffect(() => {
    if (!wanted) return;
    let current = true;
    const timer = setTimeout(() => {
      void search(wanted).then((hits) => {
        if (current) setAnswer({ wanted, hits });
      });
    }, PAUSE_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [wanted, search]);
  if (!wanted) return [];
  return answer.wanted === wanted ? answer.hits : null;
}

/** Apps are found without it, so a hub that does not answer this only finds less. */
async function searchHub(words: string): Promise<SearchHit[]> {
  const found = await hub.search(words);
  return found.ok ? found.value.hits : [];
}

const searchDevice = (words: string): Promise<SearchHit[]> => onDevice.search(words);

const matches = (wanted: string, ...texts: (string | undefined)[]): boolean =>
  texts.some((text) => text?.toLocaleLowerCase().includes(wanted));

function Head({ text, children }: { text: string; children: ReactNode }): ReactElement {
  return (
    <header className="page-head">
      <div>
        <h1>Apps</h1>
        <p className="muted">{text}</p>
      </div>
      <div className="page-tools">{children}</div>
    </header>
  );
}

function SearchField({ value, onChange }: { value: string; onChange: (value: string) => void }): ReactElement {
  return (
    <label className="search-field">
      <span className="hidden">Search apps, sheets and charts</span>
      <Icon name="search" />
      <input type="search" placeholder="Search apps, sheets and charts" value={value} onChange={(event) => onChange(event.target.value)} />
    </label>
  );
}

/** Tells a screen reader how much was found. */
function Found({ wanted, n }: { wanted: string; n: number | null }): ReactElement {
  return (
    <p className="hidden" role="status">
      {wanted && n !== null ? `${plural(n, 'result')} found` : ''}
    </p>
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
