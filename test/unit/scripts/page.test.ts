/** What a browser loads of `testbed serve`: bundled here as the build does, without writing anything. */

import {gzipSync} from 'node:zlib';
import test from 'ava';
import {buildSync} from 'esbuild';

const {outputFiles, metafile} = buildSync({
	entryPoints: ['page/main.tsx'], outdir: 'dist/bin', write: false, metafile: true, bundle: true, platform: 'browser', format: 'esm', target: 'es2022', minify: true, legalComments: 'none', jsx: 'automatic', jsxImportSource: 'preact', logLevel: 'silent',
});

test('the script of the page is small enough for any network', t => {
	const bytes = gzipSync(outputFiles[0]!.contents).length;
	t.true(bytes < 60_000, `${bytes} bytes; the limit that was set is 150,000`);
});

test('the page holds Preact and pure rooms, and neither schemas nor anything of the server', t => {
	const inputs = Object.keys(metafile.inputs);
	t.deepEqual(inputs.filter(file => !/^(?:page|src)\/|^node_modules\/preact\//u.test(file)), []);
	t.true(inputs.includes('src/drawing/lay-out.ts'));
	const others = inputs.filter(file => file.startsWith('src/') && !['drawing', 'parsing', 'workshop'].includes(file.split('/')[1]!));
	// The list of back ends, which forms offer; of netfilter nothing else.
	t.deepEqual(others.toSorted(), ['src/netfilter/backends.ts', 'src/netfilter/types.ts']);
});
