import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';

const root = path.resolve(import.meta.dirname, '..');
const target = path.join(root, 'test/unit/scripts/recordings/ava.json');
const ava = path.join(root, 'node_modules/ava/entrypoints/cli.mjs');
const observer = path.join(root, 'scripts/ci/observe.mjs');
const passing = 'import test from "ava"; test("one", t => t.pass()); test("two", t => t.pass());';

/** The ways in which a run of ava can end, as the test files that make it end so. */
const projects = {
	'all pass': {'a.mjs': passing},
	'some fail': {'a.mjs': passing, 'b.mjs': 'import test from "ava"; test("bad", t => { t.log("9 passed, 0 failed"); t.is(1, 2); }); test("good", t => t.pass());'},
	'expected failure': {'a.mjs': passing, 'b.mjs': 'import test from "ava"; test.failing("known", t => t.is(1, 2));'},
	'uncaught exception': {'a.mjs': passing, 'b.mjs': 'import test from "ava"; test("throws later", async t => { setTimeout(() => { throw new Error("late"); }); await new Promise(r => setTimeout(r, 300)); t.pass(); });'},
	'timed-out file': {'a.mjs': passing, 'b.mjs': 'import test from "ava"; test.serial("hangs", async t => { await new Promise(r => setTimeout(r, 1e6)); t.pass(); }); test.serial("never reached", t => t.pass());'},
	'hangs while it loads': {'a.mjs': passing, 'b.mjs': 'import test from "ava"; await new Promise(r => setTimeout(r, 1e6)); test("too late", t => t.pass());'},
	'file without tests': {'a.mjs': passing, 'b.mjs': 'import "ava";'},
	'file that does not load': {'a.mjs': passing, 'b.mjs': 'import test from "ava"; import "./absent.mjs"; test("x", t => t.pass());'},
	'file that exits': {'a.mjs': passing, 'b.mjs': 'import test from "ava"; test.serial("leaves", t => { process.exit(0); t.pass(); }); test.serial("after", t => t.pass());'},
	'file that is killed': {'a.mjs': passing, 'b.mjs': 'import test from "ava"; test("dies", t => { process.kill(process.pid, "SIGKILL"); t.pass(); });'},
	'failing hook': {'a.mjs': passing, 'b.mjs': 'import test from "ava"; test.before(() => { throw new Error("no"); }); test("depends", t => t.pass());'},
	'skipped and todo': {'a.mjs': passing, 'b.mjs': 'import test from "ava"; test.skip("left out", t => t.pass()); test.todo("some day"); test("here", t => t.pass());'},
	'no files': {},
	'ava is killed': {'a.mjs': passing, 'b.mjs': 'import test from "ava"; test("kills", async t => { await new Promise(r => setTimeout(r, 300)); process.kill(process.ppid, "SIGKILL"); t.pass(); });'},
};

function record(files) {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'record-ava-'));
	const resultFile = path.join(folder, 'result.json');
	try {
		fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({type: 'module'}));
		fs.writeFileSync(path.join(folder, 'ava.config.js'), `import {observeRunInto} from ${JSON.stringify(observer)};
export default {files: ['*.mjs'], timeout: '3s', workerThreads: false, nonSemVerExperiments: {observeRunsFromConfig: true}, observeRun: observeRunInto(${JSON.stringify(resultFile)})};`);
		fs.symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
		for (const [file, text] of Object.entries(files)) {
			fs.writeFileSync(path.join(folder, file), text);
		}

		const {status, signal} = spawnSync(process.execPath, [ava, '--serial'], {cwd: folder, stdio: 'ignore', env: {...process.env, CI: 'true'}});
		const result = fs.existsSync(resultFile) ? fs.readFileSync(resultFile, 'utf8').replaceAll(folder, '/project') : undefined;
		return {exit: {status, signal}, result: result === undefined ? undefined : JSON.parse(result)};
	} finally {
		fs.rmSync(folder, {recursive: true});
	}
}

if (process.argv.includes('--help')) {
	console.log(`Usage: npm run record-ava

Runs the installed ava on small projects that cover every way in which a run can end, and writes its statistics and exit
status to test/unit/scripts/recordings/ava.json. The tests of CI's last line read this file. Run this when ava's version changes.`);
} else {
	fs.mkdirSync(path.dirname(target), {recursive: true});
	const {version} = JSON.parse(fs.readFileSync(path.join(root, 'node_modules/ava/package.json'), 'utf8'));
	const runs = Object.fromEntries(Object.entries(projects).map(([name, files]) => [name, record(files)]));
	fs.writeFileSync(target, `${JSON.stringify({ava: version, node: process.version, runs}, null, '\t')}\n`);
	console.log(`Recorded ${Object.keys(runs).length} runs of ava ${version}.`);
}
