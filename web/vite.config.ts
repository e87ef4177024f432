// Builds the UI: no source maps, hashed names, and a service worker that knows every file.

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const version = (JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as { version: string }).version;

/** Puts the list of built files and their hashes into the service worker, which is its version. */
function precacheList(): Plugin {
  let out = '';
  let failed = false;
  return {
    name: 'satchel-precache',
    apply: 'build',
    configResolved(config) {
      out = config.build.outDir;
    },
    buildEnd(error) {
      failed = error !== undefined;
    },
    closeBundle: {
      order: 'post',
      handler() {
        if (failed) return;
        const files = listFiles(out)
          .filter((file) => !/(^|\/)sw\.js$|\.(br|gz)$|LICENSE/.test(file))
          .sort()
          .map((file) => ({ url: `/${file}`, hash: createHash('sha256').update(readFileSync(join(out, file))).digest('base64') }));
        const worker = join(out, 'sw.js');
        const code = readFileSync(worker, 'utf8');
        if (!code.includes('self.__PRECACHE__')) throw new Error('the service worker does not use the precache list');
        writeFileSync(worker, code.replace('self.__PRECACHE__', JSON.stringify(files)));
      },
    },
  };
}

function listFiles(dir: string, root = dir): string[] {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    return statSync(path).isDirectory() ? listFiles(path, root) : [relative(root, path).replaceAll('\\', '/')];
  });
}

export default defineConfig({
  plugins: [react(), precacheList()],
  define: { __VERSION__: JSON.stringify(version) },
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    sourcemap: false,
    outDir: 'dist',
    chunkSizeWarningLimit: 4000,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rollupOptions: {
      input: { main: 'index.html', sw: 'src/sw.ts' },
      output: { entryFileNames: (chunk) => (chunk.name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js') },
    },
  },
});
