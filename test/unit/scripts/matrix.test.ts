import path from 'node:path';
import test from 'ava';
import {root} from './_setup.js';

type Row = {
	part: string; machine: string; distribution: string; npm: string; node: string; iptables: string; nft: string; kernel: string; result: string;
	packages?: number; megabytes?: number; seconds?: number; date: string; commit: string;
};
type Step = {name: string; ok: boolean; reason: string};
type Batch = {ok: boolean; reason: string; differences: string[]};

const load = async (name: string): Promise<unknown> => import(path.join(root, 'scripts/matrix', name));
const {renderText, renderBlock, parseRows, replaceBlock, mergeRows} = await load('table.mjs') as {
	renderText: (rows: readonly Row[], width?: number) => string; renderBlock: (rows: readonly Row[]) => string; parseRows: (text: string) => Row[];
	replaceBlock: (text: string, rows: readonly Row[]) => string; mergeRows: (before: readonly Row[], now: readonly Row[]) => Row[];
};
const {compareAnswers} = await load('compare.mjs') as {compareAnswers: (reference: string, answers: string) => {total: number; same: number; differences: string[]}};
const {judgeSteps, judgeBatch, withBatch} = await load('judge.mjs') as {
	judgeSteps: (asked: readonly string[], seen: {machine: unknown; steps: readonly Step[]} | undefined, ending: string) => string;
	judgeBatch: (reference: Record<string, string>, answers: Record<string, string>) => Batch; withBatch: (result: string, batch: Batch) => string;
};
const {judgeTests, judgeTypes, judgeLacking, failedTitles, lastWords} = await load('job/steps.mjs') as {
	judgeTests: (result: unknown, exit: {status: number; ending: string}, log: string) => {ok: boolean; reason: string};
	judgeTypes: (text: string, exit: {status: number; ending: string}, log: string) => {ok: boolean; reason: string};
	judgeLacking: (text: string, exit: {status: number; ending: string}, log: string) => {ok: boolean; reason: string};
	failedTitles: (log: string) => string[]; lastWords: (log: string) => string;
};
const {withoutNpm} = await load('settings.mjs') as {withoutNpm: (env: Record<string, string>) => Record<string, string>};

const row = (given: Partial<Row>): Row => ({
	part: 'debian', machine: 'Debian 13, own Node and npm', distribution: 'Debian GNU/Linux 13 (trixie)', npm: '9.2.0', node: '20.19.2', iptables: '1.8.11', nft: '1.1.3', kernel: '6.12.117+deb13-cloud-amd64',
	result: 'passed', date: '2026-11-28', commit: '5349751', ...given,
});
const awkward = row({machine: String.raw`a | b \ c`, result: String.raw`failed: types: <b> said "x | y" \|`, seconds: 12.5, packages: 30, megabytes: 41.2});

test('the table for a terminal stays within its width, and shows why a cell failed', t => {
	const text = renderText([row({}), row({
		result: `failed: types: ${'the actor could not start as another user, '.repeat(5)}and ${'x'.repeat(120)}`, packages: 585, megabytes: 157.8, seconds: 30.1,
	}), row({result: 'not tried: mmdebstrap missing → apt-get install mmdebstrap'})]);
	const lines = text.split('\n');
	t.deepEqual(lines.filter(line => line.length > 80), []);
	t.is(lines[2], 'Debian 13, own Node and npm 9.2.0   20.19.2  1.8.11   1.1.3 6.12.117   passed');
	t.regex(text, / failed\n {4}types: the actor could not start/);
	t.regex(text, / not tried\n {4}mmdebstrap missing → apt-get install mmdebstrap$/);
	t.regex(text, /585 packages, 157\.8 MB, 30\.1 s from the clone/);
});

test('the rows of the document are read back as they were, whatever a reason contains', t => {
	const rows = [row({}), awkward, row({machine: 'empty', npm: '', iptables: ''})];
	t.deepEqual(parseRows(renderBlock(rows)), rows);
	t.deepEqual(parseRows('# No table yet\n'), []);
});

test('a document that lost a mark or a cell is refused', t => {
	const block = renderBlock([row({})]);
	t.throws(() => parseRows(block.replace('<!-- matrix: end -->', '')), {message: /markers/});
	t.throws(() => parseRows(block.replace('<!-- matrix: begin -->', '')), {message: /markers/});
	t.throws(() => parseRows(block.replace('| 9.2.0 ', '')), {message: /13 cells instead of 14/});
});

test('the block is replaced, and the text around it stays', t => {
	const before = `# Machines\n\nabove\n\n${renderBlock([row({})])}\n\nbelow\n`;
	const after = replaceBlock(before, [awkward]);
	t.true(after.startsWith('# Machines\n\nabove\n\n') && after.endsWith('\n\nbelow\n'));
	t.deepEqual(parseRows(after), [awkward]);
	t.deepEqual(parseRows(replaceBlock('# Machines\n', [awkward])), [awkward]);
});

test('a run replaces its own rows, and no other', t => {
	const [first, second, third] = [row({machine: 'a'}), row({part: 'node', machine: 'b'}), row({part: 'node', machine: 'c'})] as const;
	const again = row({part: 'node', machine: 'b', result: 'failed: x'});
	t.deepEqual(mergeRows([first, second, third], [again]), [first, again, third]);
	const fresh = row({machine: 'd'});
	t.deepEqual(mergeRows([first, second, third], [fresh]), [first, fresh, second, third], 'beside the others of its part');
	t.deepEqual(mergeRows([], [fresh]), [fresh]);
	t.is(mergeRows([first], [row({part: 'kernels', machine: 'a'})]).length, 2, 'the same name in another part is another row');
});

const answer = (id: number, given: Record<string, unknown> = {}) => JSON.stringify({id, path: ['app', 'OUTPUT#1', 'proxy:15001'], stops: ['proxy:15001'], outcome: 'delivered', gaps: [], ...given});
const unanswered = (port: number) => answer(2, {outcome: 'inconclusive', gaps: [{kind: 'no-end', message: `Nobody took 127.0.0.6:${port} → 10.244.1.20:8080`}]});

test('answers are compared with all their words, but for ports that the kernel chose', t => {
	const wanted = `${answer(1)}\n${unanswered(38_141)}\n`;
	t.deepEqual(compareAnswers(wanted, `${answer(1)}\n${unanswered(51_002)}\n`), {total: 2, same: 2, differences: []});
	for (const [title, other] of Object.entries({
		outcome: answer(1, {outcome: 'dropped'}), path: answer(1, {path: ['app', 'OUTPUT#1', 'POSTROUTING', 'proxy:15001']}), stops: answer(1, {stops: ['proxy:15006']}), gaps: answer(1, {gaps: [{kind: 'lost-events', message: 'Two events were lost.'}]}),
	})) {
		const {same, differences} = compareAnswers(wanted, `${other}\n${unanswered(38_141)}\n`);
		t.is(same, 1, title);
		t.regex(differences[0]!, /^answer 1: - .*"id":1/, title);
	}
});

test('a missing answer, and an additional one, are differences', t => {
	t.regex(compareAnswers(`${answer(1)}\n${answer(7)}\n`, `${answer(1)}\n`).differences[0]!, /^answer 2: - .*"id":7.* \+ no answer$/);
	t.regex(compareAnswers(`${answer(1)}\n`, `${answer(1)}\n${answer(7)}\n`).differences[0]!, /^answer 2: - no answer \+ /);
	t.is(compareAnswers(`${answer(1)}\n`, answer(1).slice(0, 20)).same, 0, 'half a line');
	t.is(compareAnswers('', '').total, 0);
});

test('a batch without answers is not equal', t => {
	t.false(judgeBatch({}, {}).ok);
	t.false(judgeBatch({'iptables-nft': ''}, {'iptables-nft': ''}).ok);
	t.false(judgeBatch({'iptables-nft': answer(1)}, {}).ok);
	t.true(judgeBatch({'iptables-nft': answer(1)}, {'iptables-nft': answer(1)}).ok);
});

const good = (name: string): Step => ({name, ok: true, reason: 'ended with 0'});

test('a cell passes only when every step that was asked for did what it should', t => {
	const seen = (...steps: Step[]) => ({machine: {}, steps});
	t.is(judgeSteps(['first', 'types'], seen(good('first'), good('types')), 'exit status 0'), 'passed');
	t.is(judgeSteps(['first', 'types'], undefined, 'signal SIGKILL'), 'failed: the job left no result (signal SIGKILL)');
	t.is(judgeSteps(['first', 'types'], seen(good('first')), 'signal SIGKILL'), 'failed: not reached: types (signal SIGKILL)');
	t.is(judgeSteps(['first'], seen({name: 'first', ok: false, reason: 'EUSAGE'}), 'exit status 1'), 'failed: first: EUSAGE');
	t.is(judgeSteps(['first'], seen(), 'exit status 0'), 'failed: not reached: first (exit status 0)');
	const batch = judgeBatch({nftables: answer(1)}, {nftables: answer(1, {outcome: 'dropped'})});
	t.regex(withBatch('passed', batch), /^failed: batch: 0 of 1 answers .*; first: nftables, answer 1: /);
	t.regex(withBatch('failed: first: x', batch), /^failed: first: x; batch: /);
	t.is(withBatch('passed', judgeBatch({nftables: answer(1)}, {nftables: answer(1)})), 'passed');
});

const stats = (given: Record<string, number> = {}) => ({
	ended: true, stats: {
		passedTests: 5, failedTests: 0, remainingTests: 0, uncaughtExceptions: 0, unhandledRejections: 0, failedHooks: 0, skippedTests: 0, todoTests: 0, ...given,
	},
});
const zero = {status: 0, ending: 'exit status 0'};

test('tests count as good only when all that ran passed, and the run came to its end', t => {
	t.deepEqual(judgeTests(stats(), zero, ''), {ok: true, reason: '5 passed, 0 failed'});
	t.deepEqual(judgeTests(stats({skippedTests: 2}), zero, ''), {ok: true, reason: '5 passed, 0 failed, 2 not tried'});
	for (const bad of ['failedTests', 'remainingTests', 'uncaughtExceptions', 'unhandledRejections', 'failedHooks']) {
		t.false(judgeTests(stats({[bad]: 1}), {status: 1, ending: 'exit status 1'}, '').ok, bad);
	}

	t.false(judgeTests(stats(), {status: 1, ending: 'exit status 1'}, '').ok);
	t.false(judgeTests({...stats(), ended: false}, zero, '').ok);
	t.false(judgeTests(stats({passedTests: 0}), zero, '').ok, 'no test is no pass');
	t.false(judgeTests({ended: true}, zero, '').ok);
	t.deepEqual(judgeTests(undefined, {status: 4, ending: 'exit status 4'}, 'testbed: npm ci ended with exit status 1\n'), {ok: false, reason: 'no test ran (exit status 4): testbed: npm ci ended with exit status 1'});
});

test('the six types count only if all of their checks ran', t => {
	const report = (passed: number, failed: number, inconclusive: number) => JSON.stringify({summary: {passed, failed, inconclusive}});
	t.true(judgeTypes(report(36, 0, 0), zero, '').ok);
	t.false(judgeTypes(report(24, 0, 0), zero, '').ok);
	t.false(judgeTypes(report(24, 0, 12), {status: 3, ending: 'exit status 3'}, '').ok);
	t.false(judgeTypes(report(36, 0, 0), {status: 4, ending: 'exit status 4'}, '').ok);
	t.regex(judgeTypes('', {status: 3, ending: 'exit status 3'}, 'testbed: proxy could not start as uid 1337\n').reason, /no report \(exit status 3\): testbed: proxy could not start/);
});

test('without the legacy tables only that back end is inconclusive, with the command that fixes it', t => {
	const run = (backend: string, ...outcomes: string[]) => ({rules: {backend}, types: outcomes.map(outcome => ({outcome}))});
	const lacking = {rules: {backend: 'iptables-legacy'}, inconclusive: 'This machine cannot install what the rules need: the nat table. → modprobe iptable_nat'};
	const three = {status: 3, ending: 'exit status 3'};
	const judged = (runs: readonly unknown[], exit = three) => judgeLacking(JSON.stringify({runs}), exit, '');
	t.deepEqual(judged([run('iptables-nft', 'pass', 'pass'), lacking, run('nftables', 'pass')]), {ok: true, reason: 'iptables-nft pass, iptables-legacy inconclusive, nftables pass (exit status 3)'});
	for (const [title, runs] of Object.entries({
		'another back end is missing': [run('iptables-nft', 'pass'), lacking],
		'another back end failed': [run('iptables-nft', 'pass', 'fail'), lacking, run('nftables', 'pass')],
		'legacy passed: the tables were there': [run('iptables-nft', 'pass'), run('iptables-legacy', 'pass'), run('nftables', 'pass')],
		'no word on what mends it': [run('iptables-nft', 'pass'), {...lacking, inconclusive: 'It failed.'}, run('nftables', 'pass')],
		'nothing was played': [run('iptables-nft'), lacking, run('nftables')],
	})) {
		t.false(judged(runs).ok, title);
	}

	t.false(judged([run('iptables-nft', 'pass'), lacking, run('nftables', 'pass')], zero).ok);
	t.regex(judgeLacking('', {status: 4, ending: 'exit status 4'}, 'testbed: unable to initialize table\n').reason, /^no report/);
});

test('a reason is the most informative line of a log', t => {
	for (const prefix of ['npm error', 'npm ERR!']) {
		const log = `${prefix} code EUSAGE\n${prefix} Missing: esbuild@0.28.2 from lock file\n${prefix} A complete log of this run\ntestbed: npm ci ended with exit status 1\n`;
		t.is(lastWords(log), 'Missing: esbuild@0.28.2 from lock file');
	}

	t.is(lastWords('testbed: proxy could not start\n'), 'testbed: proxy could not start');
	t.is(lastWords('all is well\nnearly done\n'), 'nearly done');
	t.is(lastWords(''), 'it printed nothing');
	t.is(lastWords(`error: ${'x'.repeat(500)}`).length, 200);
});

test('the environment of a cell has nothing of the npm that runs the matrix', t => {
	t.deepEqual(withoutNpm({
		npm_config_user_agent: 'npm/11', NPM_CONFIG_CACHE: '/c', npm_execpath: '/npm-cli.js', INIT_CWD: '/x', HOME: '/root', PATH: '/x/node_modules/.bin:/usr/bin:/y/node-gyp-bin:/sbin',
	}), {HOME: '/root', PATH: '/usr/bin:/sbin'});
});

test('titles of failed tests are found in what ava prints', t => {
	t.deepEqual(failedTitles('  ✔ kernel › a › passes (1.2s)\n  ✘ [fail]: kernel › install › the next set stands alone, iptables-legacy Rejected promise returned by test\n'), ['kernel › install › the next set stands alone, iptables-legacy Rejected promise returned by test']);
});
