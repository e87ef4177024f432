// Lints of the web UI. The first two rules keep the rooms of the client apart: `client` knows
// no React and `ui` knows no socket (tools/lint.test.mjs shows that they hold).
import hooks from 'eslint-plugin-react-hooks';
import typescript from 'typescript-eslint';

const forbid = (message, ...group) => ({ group, message });

export default typescript.config(
  { ignores: ['dist', 'node_modules', 'src/wasm', 'src/client/wire.ts'] },
  {
    files: ['src/**/*.{ts,tsx}'],
    extends: [typescript.configs.recommended],
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-restricted-properties': [
        'error',
        { property: 'innerHTML', message: 'Values are shown as text; build elements instead.' },
        { property: 'outerHTML', message: 'Values are shown as text; build elements instead.' },
        { property: 'insertAdjacentHTML', message: 'Values are shown as text; build elements instead.' },
      ],
    },
  },
  {
    files: ['src/client/**', 'src/worker/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [forbid('client and worker know no React and no page.', 'react', 'react-dom', 'react/*', 'react-dom/*', '**/ui', '**/ui/**', '@nebula.js/*')] },
      ],
    },
  },
  {
    files: ['src/ui/**'],
    plugins: { 'react-hooks': hooks },
    rules: {
      'react-hooks/rules-of-hooks': 'error',
      'no-restricted-imports': [
        'error',
        { patterns: [forbid('ui speaks to the hub and the worker through client.', 'enigma.js', 'enigma.js/*', '**/worker', '**/worker/**', '**/wasm/**', '**/worker-socket', '**/worker-link')] },
      ],
      'no-restricted-globals': [
        'error',
        ...['WebSocket', 'EventSource', 'XMLHttpRequest', 'fetch', 'Worker', 'SharedWorker'].map((name) => ({
          name,
          message: 'ui knows no socket; ask client.',
        })),
      ],
      'no-restricted-syntax': [
        'error',
        { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: 'Values are shown as text.' },
        {
          selector: "MemberExpression[object.name=/^(window|self|globalThis)$/][property.name=/^(WebSocket|EventSource|XMLHttpRequest|fetch|Worker|SharedWorker)$/]",
          message: 'ui knows no socket; ask client.',
        },
      ],
    },
  },
);
