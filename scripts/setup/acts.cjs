'use strict';

const netfilterPrograms = {
	iptables: [
		'iptables-nft', 'iptables-nft-restore', 'iptables-nft-save', 'ip6tables-nft-restore', 'ip6tables-nft-save',
		'iptables-legacy-restore', 'iptables-legacy-save', 'ip6tables-legacy-restore', 'ip6tables-legacy-save',
	],
	nftables: ['nft'],
	iproute2: ['ip'],
};

/** What the tests of the Vagrantfile and of the shell scripts run. They say that they were not tried where it is missing, and fail in CI. */
const checkerPrograms = {ruby: ['ruby'], shellcheck: ['shellcheck']};

/** Commands of `testbed` that need Linux, root and the netfilter programs, as their definitions say (a test holds them equal): the launcher asks before anything is built. The others work without root; `doctor` says itself what is missing. */
const kernelCommands = new Set(['run', 'probe', 'diff', 'baseline', 'mutate', 'coverage', 'clean']);

function asksForHelp(argv) {
	const end = argv.indexOf('--');
	const options = end === -1 ? argv : argv.slice(0, end);
	return options.some(option => ['--help', '-h', '--version', '-V'].includes(option));
}

/** `testbed` without a command runs, whatever its options. */
function testbedNeedsKernel(argv) {
	const [first] = argv;
	return !asksForHelp(argv) && (first === undefined || first.startsWith('-') || kernelCommands.has(first));
}

/** Whether the arguments of `npm test` name unit tests and nothing else. */
function testsOnlyUnits(argv) {
	if (argv[0] === 'unit') {
		return true;
	}

	const files = argv.filter(argument => /\.test\.[jt]s(:|$)/.test(argument));
	return files.length > 0 && files.every(file => file.includes('test/unit/'));
}

/** What people name (`unit`, `kernel`, a source file) as the compiled files that ava runs. */
function testArguments(argv) {
	return argv.map((argument, index) => {
		if (index === 0 && (argument === 'unit' || argument === 'kernel')) {
			return `dist/test/${argument}`;
		}

		return argument.replace(/^(?:\.\/)?(test\/.*\.test)\.ts(:.*)?$/, (_, file, lines = '') => `dist/${file}.js${lines}`);
	});
}

/** How long the tests take, for who starts them and waits. Of single files nothing is said: they end soon. */
function testHint(argv) {
	if (asksForHelp(argv) || argv.some(argument => /\.test\.[jt]s(:|$)/.test(argument))) {
		return undefined;
	}

	return testsOnlyUnits(argv)
		? 'The unit tests take a minute or two on two cores.'
		: 'All tests take about 20 minutes on two cores, unit tests one or two.\nFewer: npm run test:unit, or npm test -- test/kernel/six-types.test.ts';
}

const never = () => false;

/**
Every act: what it does, the program, and what must stand before it starts.

- `trees`: the trees of npm packages that it needs (trees.cjs).
- `build`: what must be built, `testbed` or `test`; a type error does not stop the testbed.
- `kernel(argv)`: Linux, root and the netfilter programs are needed.
- `programs`: programs beside those, as Debian packages, that this act installs.
- `bundled`: the program is one of scripts/setup/bundle.cjs, in CommonJS.
- `main`: the program exports `main(argv)` and gives the exit status; otherwise it reads `process.argv` and starts when it is imported.
- `hint(argv)`: what is said before the act starts, if anything: for one that takes minutes, how many.
*/
const acts = {
	testbed: {
		purpose: 'run the testbed (`--help` lists its commands)',
		program: 'dist/bin/cli.js', main: true, bundled: true, trees: ['testbed'], build: 'testbed', kernel: testbedNeedsKernel,
	},
	test: {
		purpose: 'run the tests: all, `unit`, `kernel`, or files; needs root unless only unit tests are named',
		program: 'node_modules/ava/entrypoints/cli.mjs', trees: ['tests'], build: 'test', atRoot: true,
		arguments: testArguments, kernel: argv => !asksForHelp(argv) && !testsOnlyUnits(argv), hint: testHint,
	},
	bench: {
		purpose: 'measure the whole run against the parts it cannot do without',
		program: 'dist/bin/bench.js', main: true, bundled: true, trees: ['testbed'], build: 'testbed', kernel: argv => !asksForHelp(argv),
	},
	conformance: {
		purpose: 'compare the generated rules with those of the real istio-iptables; no root',
		program: 'dist/bin/conformance.js', main: true, bundled: true, trees: ['testbed'], build: 'testbed', kernel: never,
	},
	build: {purpose: 'install the packages and compile, and nothing else', trees: ['tests'], build: 'test', kernel: never},
	types: {
		purpose: 'compile, with the compiler\'s own messages and options',
		program: 'node_modules/typescript/lib/tsc.js', trees: ['tests'], atRoot: true, arguments: argv => ['-b', '--pretty', ...argv], kernel: never,
	},
	lint: {
		purpose: 'types, style, order of the rooms, room graph, list of acts',
		program: 'scripts/lint.mjs', trees: ['tests', 'lint'], atRoot: true, kernel: never,
	},
	graph: {purpose: 'write the room graph into ARCHITECTURE.md', program: 'scripts/graph.mjs', trees: ['tests', 'lint'], atRoot: true, kernel: never},
	schemas: {
		purpose: 'write the JSON Schemas of all documents into schemas/',
		program: 'scripts/schemas.mjs', trees: ['tests'], build: 'test', atRoot: true, kernel: never,
	},
	reference: {purpose: 'write docs/reference.md from the help of every command', program: 'scripts/reference.mjs', trees: ['tests'], build: 'test', atRoot: true, kernel: never},
	coverage: {
		purpose: 'how much of src/ and testbed/ the tests reach, as a figure (the unit tests, unless others are named)',
		program: 'scripts/coverage.mjs', trees: ['tests'], build: 'test', atRoot: true, kernel: argv => argv[0] === 'kernel',
	},
	'check-package': {
		purpose: 'pack, install what was packed in a folder of its own, and try it there; publishes nothing',
		program: 'scripts/check-package.mjs', trees: ['tests'], build: 'test', atRoot: true, kernel: never,
	},
	'ci-tools': {
		purpose: 'install what only CI must have: ruby, shellcheck, the linters, vitest',
		trees: ['tests', 'lint', 'examples'], programs: checkerPrograms, kernel: never,
	},
};

module.exports = {acts, checkerPrograms, kernelCommands, netfilterPrograms};
