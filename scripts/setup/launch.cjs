'use strict';

const fs = require('node:fs');
const path = require('node:path');
const process = require('node:process');
const {pathToFileURL} = require('node:url');
const {acts, netfilterPrograms} = require('./acts.cjs');
const {SetupProblem, say} = require('./problem.cjs');
const {checkPlatform, checkRoot} = require('./machine.cjs');
const {buildStands, build} = require('./build.cjs');
const {missingPrograms, install, systemFolders} = require('./debian.cjs');
const {packagesStand, installPackages, mustInstall} = require('./packages.cjs');
const {withLock} = require('./lock.cjs');
const {giveToOwner} = require('./owner.cjs');
const {goWhereTheUserStands, startedByNpm} = require('./npm.cjs');
const {folderOf, trees} = require('./trees.cjs');

const usage = 2;

function help() {
	const lines = Object.entries(acts).map(([name, {purpose}]) => `  ${name.padEnd(11)} ${purpose}`);
	return [
		'Usage: node scripts/run.cjs ACT [ARGUMENT…]',
		'',
		'Makes sure that the set-up stands (npm packages, Debian packages, build), then starts the act.',
		'What it says goes to stderr; stdout is the act\'s.',
		'',
		...lines,
		'',
		'Exit status 4: the machine cannot do it, with the command that mends it.',
		'',
	].join('\n');
}

/** What a run of the launcher depends on, as values, so that tests can give others. */
function contextOfProcess() {
	return {
		root: path.resolve(__dirname, '../..'),
		platform: process.platform,
		arch: process.arch,
		uid: process.getuid === undefined ? -1 : process.getuid(),
		parentPid: process.ppid,
		cwd: process.cwd(),
		nodeMajor: process.versions.node.split('.')[0],
		env: process.env,
		systemFolders,
		osRelease: '/etc/os-release',
		aptLists: '/var/lib/apt/lists',
		say,
	};
}

/** What the user types for an act, without `sudo`. */
function commandFor(name, argv) {
	const command = name === 'test' ? 'npm test' : `npm run ${name}`;
	return argv.length === 0 ? command : `${command} -- ${argv.map(argument => quote(argument)).join(' ')}`;
}

function quote(argument) {
	return /^[\w./:=@,+-]+$/.test(argument) ? argument : `'${argument.replaceAll('\'', String.raw`'\''`)}'`;
}

/** About how long apt-get takes for a few packages, and a build of each kind, on two cores. */
const aptSeconds = 20;
const buildSeconds = {testbed: 1, test: 30};
const builds = {testbed: 'Bundling src and testbed into dist/bin', test: 'Compiling src, testbed and test to dist, and bundling dist/bin'};

/** What must be done before an act can start, in order, each as what is said of it, about how long it takes, and the work. */
function stepsOf({programs, trees: treesOfAct, build: target}, context) {
	const missing = missingPrograms(programs, context);
	const steps = [];
	if (missing.length > 0) {
		steps.push({
			title: `Debian packages: ${[...new Set(missing.map(program => program.package))].join(', ')}`, seconds: aptSeconds,
			work() {
				install(missing, programs, context);
			},
		});
	}

	for (const tree of treesOfAct.filter(tree => !packagesStand(tree, context))) {
		steps.push({
			title: `npm packages for ${trees[tree].purpose} (${path.relative(context.root, path.join(folderOf(tree, context.root), 'package-lock.json'))})`,
			seconds: mustInstall(tree, context) ? trees[tree].seconds : 0,
			work() {
				installPackages(tree, context);
			},
		});
	}

	if (target !== undefined && !buildStands(target, context)) {
		steps.push({
			title: builds[target], seconds: buildSeconds[target],
			work() {
				build(target, context);
			},
		});
	}

	return steps;
}

/** Seconds as people say them: `5 s`, `40 s`. */
function roughly(seconds) {
	return `${seconds <= 10 ? Math.max(1, Math.ceil(seconds)) : Math.ceil(seconds / 10) * 10} s`;
}

/** Does the steps, and says before each what it is, and after each how long it took. */
function takeSteps(steps, context) {
	if (steps.length === 0) {
		return;
	}

	const seconds = steps.reduce((sum, step) => sum + step.seconds, 0);
	context.say(`Setting up this checkout (new, or something changed): about ${roughly(seconds)}.`);
	for (const [index, step] of steps.entries()) {
		context.say(`[${index + 1}/${steps.length}] ${step.title} …`);
		const start = performance.now();
		step.work();
		context.say(`[${index + 1}/${steps.length}] done in ${((performance.now() - start) / 1000).toFixed(1)} s.`);
	}
}

/**
Makes the set-up stand. When it does already, that costs the reading and hashing of the sources, and a few stat calls.

The checks that nobody can mend by waiting (platform, root) come first, so that nothing is installed for a run that cannot be.
*/
function ensureSetUp(name, argv, context) {
	const act = acts[name];
	const kernel = act.kernel(argv);
	if (kernel) {
		checkPlatform(context.platform);
		checkRoot({
			uid: context.uid, parentPid: context.parentPid, readStatus: context.readStatus,
			command: commandFor(name, argv), direct: ['node scripts/run.cjs', name, ...argv.map(argument => quote(argument))].join(' '),
		});
	}

	const wanted = {trees: act.trees, build: act.build, programs: {...(kernel ? netfilterPrograms : {}), ...act.programs}};
	if (stepsOf(wanted, context).length === 0) {
		return;
	}

	// Two launchers in a fresh clone would install and build over each other. Whoever waited looks again: the work may be done.
	withLock(context, () => {
		takeSteps(stepsOf(wanted, context), context);
	});
}

/** A user's `su` leaves the PATH without `/usr/sbin`, where Debian keeps the netfilter programs: they are found there, so they must also be started from there. */
function completePath(context) {
	const folders = (context.env.PATH ?? '').split(path.delimiter).filter(Boolean);
	context.env.PATH = [...folders, ...context.systemFolders.filter(folder => !folders.includes(folder))].join(path.delimiter);
}

/**
Starts the program in this process. A child would cost a second start of Node, and after Ctrl-C npm gives the prompt back while the child is still clearing up.

The same holds for ava: its entry point reads `process.argv` and sets `process.exitCode`, so it can be imported as it is.
*/
async function start(name, argv, context) {
	const act = acts[name];
	if (act.program === undefined) {
		return;
	}

	const file = path.join(context.root, act.program);
	if (!fs.existsSync(file)) {
		throw new SetupProblem(`${act.program} is not there, though the set-up stands.`, {state: 'Nothing was run.', hint: 'rm -rf dist node_modules && npm run build'});
	}

	if (act.main) {
		const npm = startedByNpm(name, context);
		if (npm !== undefined) {
			goWhereTheUserStands(npm, context);
		}

		// A bundle is CommonJS: `require` spares the start of Node's loader of modules.
		const {main} = act.bundled ? require(file) : await import(pathToFileURL(file).href);
		process.exitCode = await main(argv, {npm});
		return;
	}

	const given = act.arguments === undefined ? argv : act.arguments(argv);
	process.argv = [process.execPath, file, ...given];
	if (act.atRoot) {
		process.chdir(context.root);
		// The tools keep their caches there, and the linter compiles.
		process.once('exit', () => {
			giveToOwner(['node_modules/.cache', 'dist'], context);
		});
	}

	await import(pathToFileURL(file).href);
}

async function launch([name, ...argv], context = contextOfProcess()) {
	if (name === undefined || name === '--help' || name === '-h') {
		process.stdout.write(help());
		process.exitCode = name === undefined ? usage : 0;
		return;
	}

	if (!Object.hasOwn(acts, name)) {
		throw new SetupProblem(`There is no act "${name}".`, {state: 'Nothing was run.', hint: 'node scripts/run.cjs --help', exitCode: usage});
	}

	ensureSetUp(name, argv, context);
	completePath(context);
	const hint = acts[name].hint?.(argv);
	if (hint !== undefined) {
		for (const line of hint.split('\n')) {
			context.say(line);
		}
	}

	await start(name, argv, context);
}

module.exports = {contextOfProcess, ensureSetUp, launch};
