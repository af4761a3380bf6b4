import fs from 'node:fs';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {isLeftOut} from '../../helpers/left-out.js';
import {isolated, root, writeTree} from './_setup.js';

type Cruised = {modules: ReadonlyArray<{source: string; dependencies: ReadonlyArray<{resolved: string}>}>; violations: readonly unknown[]};
type Rooms = {
	cruiseRooms: (root: string) => Promise<Cruised>;
	complaintsAbout: (cruised: Cruised) => string[];
	drawRooms: (tree: string, cruised: Cruised) => string;
	drawTrees: (cruised: Cruised) => string;
	replaceBlock: (text: string, block: string) => string | undefined;
	printBlock: (graph: string) => string;
};

const {cruiseRooms, complaintsAbout, drawRooms, drawTrees, printBlock, replaceBlock} = await import(path.join(root, 'scripts/lint/rooms.mjs')) as Rooms;

/** A test that follows imports. That needs dependency-cruiser, which `npm run lint` installs. */
function cruising(title: string, check: (t: ExecutionContext) => Promise<void>): void {
	test(title, async t => {
		if (!isLeftOut(t, {tree: 'lint'})) {
			await check(t);
		}
	});
}

/** A small project in order: each room has a file, and knows what it may know. */
const orderly: Record<string, string> = {
	'src/index.ts': 'export * from \'./report/run/text.js\';\n',
	'src/netfilter/types.ts': 'export const n = 1;\n',
	'src/mesh/roles.ts': 'export {n} from \'../netfilter/types.js\';\n',
	'src/istio/options/options.ts': 'export {n} from \'../../mesh/roles.js\';\n',
	'src/scenario/six.ts': 'export {n} from \'../mesh/roles.js\';\n',
	'testbed/inputs/mesh-of-rules.ts': 'export {n} from \'../../src/istio/options/options.js\';\n',
	'src/trace/legs.ts': 'export {n} from \'../netfilter/types.js\';\n',
	'src/judge/judge.ts': 'export {n} from \'../scenario/six.js\';\n',
	'src/report/run/text.ts': 'export {n} from \'../../judge/judge.js\';\n',
	'testbed/run/run.ts': 'export {n} from \'../../src/index.js\';\n',
	'test/kernel/run.test.ts': 'export {n} from \'../../testbed/run/run.js\';\n',
};

async function complain(files: Record<string, string>): Promise<string[]> {
	await using context = await isolated();
	writeTree(context.root, {
		...orderly, ...files, 'package.json': '{"type": "module", "dependencies": {"execa": "*", "koffi": "*"}}',
		'.dependency-cruiser.cjs': fs.readFileSync(path.join(root, '.dependency-cruiser.cjs'), 'utf8'),
		'node_modules/execa/package.json': '{"name": "execa", "main": "index.js"}', 'node_modules/execa/index.js': '',
		'node_modules/koffi/package.json': '{"name": "koffi", "main": "index.js"}', 'node_modules/koffi/index.js': '',
	});
	return complaintsAbout(await cruiseRooms(context.root));
}

cruising('a project in order has no complaints', async t => {
	t.deepEqual(await complain({}), []);
});

const from = (file: string) => `export {n} from '${file}';\n`;

for (const {rule, files} of [
	{rule: 'room-netfilter', files: {'src/netfilter/x.ts': from('../report/run/text.js')}},
	{rule: 'room-istio', files: {'src/istio/x.ts': from('../trace/legs.js')}},
	{rule: 'room-istio', files: {'src/istio/x.ts': 'import type {n} from \'../scenario/six.js\';\nexport type X = typeof n;\n'}},
	{rule: 'room-mesh', files: {'src/mesh/x.ts': from('../istio/options/options.js')}},
	{rule: 'meshes-by-contract', files: {'src/judge/x.ts': from('../istio/options/options.js')}},
	{rule: 'meshes-by-contract', files: {'src/scenario/x.ts': 'import type {n} from \'../istio/options/options.js\';\nexport type X = typeof n;\n'}},
	{rule: 'meshes-by-contract', files: {'testbed/run/x.ts': from('../../src/istio/options/options.js')}},
	{rule: 'meshes-by-contract', files: {'testbed/cli/commands/x.ts': from('../../../src/istio/options/options.js')}},
	{rule: 'room-scenario', files: {'src/scenario/x.ts': from('../trace/legs.js')}},
	{rule: 'room-trace', files: {'src/trace/x.ts': from('../judge/judge.js')}},
	{rule: 'room-trace', files: {'src/trace/x.ts': from('../scenario/six.js')}},
	{rule: 'room-judge', files: {'src/judge/x.ts': from('../report/run/text.js')}},
	{rule: 'room-report', files: {'src/report/x.ts': from('../index.js')}},
	{rule: 'src-is-pure', files: {'src/trace/x.ts': from('../../testbed/run/run.js')}},
	{rule: 'src-is-pure', files: {'src/trace/x.ts': 'import \'koffi\';\n'}},
	{rule: 'src-without-node', files: {'src/judge/x.ts': 'import \'node:fs\';\n'}},
	{rule: 'known-rooms', files: {'src/attic/x.ts': from('../netfilter/types.js')}},
	{rule: 'testbed-is-below', files: {'test/unit/x.test.ts': from('../../testbed/run/run.js')}},
	{rule: 'testbed-knows-no-test', files: {'testbed/run/x.ts': from('../../test/kernel/run.test.js')}},
	{rule: 'one-door-to-programs', files: {'testbed/run/x.ts': 'import \'execa\';\n'}},
	{rule: 'one-door-to-ffi', files: {'testbed/run/x.ts': 'import \'koffi\';\n'}},
	{rule: 'known-testbed-rooms', files: {'testbed/x.ts': from('./run/run.js')}},
	{rule: 'known-testbed-rooms', files: {'testbed/attic/x.ts': from('../run/run.js')}},
	{rule: 'errors-come-first', files: {'testbed/errors.ts': from('./run/run.js')}},
	{rule: 'testbed-room-sandbox', files: {'testbed/sandbox/x.ts': from('../run/run.js')}},
	{rule: 'room-workshop', files: {'src/workshop/x.ts': from('../index.js')}},
	{rule: 'room-report', files: {'src/report/x.ts': from('../workshop/y.js'), 'src/workshop/y.ts': 'export const n = 1;\n'}},
	{rule: 'page-shows', files: {'page/x.ts': from('../testbed/run/run.js')}},
	{rule: 'page-is-last', files: {'testbed/run/x.ts': from('../../page/y.js'), 'page/y.ts': 'export const n = 1;\n'}},
	{rule: 'testbed-room-serve', files: {'testbed/serve/x.ts': from('../cli/x.js'), 'testbed/cli/x.ts': 'export const n = 1;\n'}},
	{rule: 'testbed-room-library', files: {'testbed/library/x.ts': from('../cli/x.js'), 'testbed/cli/x.ts': 'export const n = 1;\n'}},
	{rule: 'nothing-below-cli', files: {'testbed/run/x.ts': from('../cli/x.js'), 'testbed/cli/x.ts': 'export const n = 1;\n'}},
	{rule: 'recording-needs-no-kernel', files: {'testbed/recording/x.ts': from('../system/y.js'), 'testbed/system/y.ts': from('./exec.js'), 'testbed/system/exec.ts': 'export const n = 1;\n'}},
	{rule: 'recording-needs-no-kernel', files: {'testbed/recording/x.ts': from('../syscalls/y.js'), 'testbed/syscalls/y.ts': 'export const n = 1;\n'}},
	{rule: 'no-circular', files: {'src/judge/x.ts': from('./y.js'), 'src/judge/y.ts': from('./x.js')}},
	{rule: 'no-unresolvable', files: {'src/judge/x.ts': from('./absent.js')}},
]) {
	cruising(`goes red: ${rule}, by ${Object.values(files)[0]!.split('\n')[0]!}`, async t => {
		const complaints = await complain(files);
		t.true(complaints.some(complaint => complaint.startsWith(`${rule}: `)), complaints.join('\n'));
	});
}

test('goes red: a cruise that saw no modules', t => {
	t.is(complaintsAbout({modules: [], violations: []}).length, 1);
});

cruising('types that recording/ borrows are not loaded', async t => {
	t.deepEqual(await complain({'testbed/recording/x.ts': 'import type {n} from \'../syscalls/y.js\';\nexport type X = typeof n;\n', 'testbed/syscalls/y.ts': 'export const n = 1;\n'}), []);
});

test('a picture leaves out what follows from other arrows, files of other trees and packages', t => {
	const draw = (tree: string): string => drawRooms(tree, {
		violations: [], modules: [
			{source: 'src/a/x.ts', dependencies: [{resolved: 'src/b/x.ts'}, {resolved: 'src/c/x.ts'}, {resolved: 'node_modules/yaml/index.js'}]},
			{source: 'src/b/x.ts', dependencies: [{resolved: 'src/c/x.ts'}, {resolved: 'src/b/y.ts'}]},
			{source: 'src/c/x.ts', dependencies: []},
			{source: 'testbed/run/run.ts', dependencies: [{resolved: 'src/a/x.ts'}]},
		],
	});
	t.is(draw('src'), 'flowchart TD\n\ta --> b\n\tb --> c');
	t.is(draw('testbed'), 'flowchart TD\n\trun');
});

cruising('this project\'s pictures name the rooms of both trees', async t => {
	const pictures = drawTrees(await cruiseRooms(root));
	t.true(pictures.includes('istio --> mesh'));
	t.true(pictures.includes('cli --> '));
});

test('the block is replaced where it stands, and only there', t => {
	const text = `before\n${printBlock('old')}\nafter\n`;
	t.is(replaceBlock(text, printBlock('new')), `before\n${printBlock('new')}\nafter\n`);
	t.is(replaceBlock('no block\n', printBlock('new')), undefined);
});
