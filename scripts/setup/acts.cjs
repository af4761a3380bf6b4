'use strict';

const netfilterPrograms = {
	iptables: [
		'iptables-nft', 'iptables-nft-restore', 'iptables-nft-save', 'ip6tables-nft-restore', 'ip6tables-nft-save',
		'iptables-legacy-restore', 'iptables-legacy-save', 'ip6tables-legacy-restore', 'ip6tables-legacy-save',
	],
	nftables: ['nft'],
	iproute2: ['ip'],
};

/** Programs that the tests of the Vagrantfile, the shell scripts, captures, drawings, completion, man pages and ordinary users run, and the one that brings Envoy and schemas (wheel.cjs). If one is missing, those tests say that they were not run, and fail in CI. */
const checkerPrograms = {
	ruby: ['ruby'], shellcheck: ['shellcheck'], tshark: ['tshark'], chromium: ['chromium'], zsh: ['zsh'], fish: ['fish'], mandoc: ['mandoc'], uidmap: ['newuidmap', 'newgidmap'], 'netcat-openbsd': ['nc'], 'python3-pip': ['pip3'],
};

/** Commands of `testbed` that need Linux and the netfilter programs, according to their definitions (a test compares the lists): the launcher checks this before anything is built. An ordinary user's command becomes root of a user namespace (testbed/rootless/). The others work anywhere; `doctor` itself reports what is missing. */
const kernelCommands = new Set(['run', 'probe', 'diff', 'baseline', 'mutate', 'coverage', 'lesson', 'serve', 'enter', 'clean']);

/** Those of them that only work for root: they look for what `--keep` has left on the machine. */
const rootCommands = new Set(['enter', 'clean']);

function asksForHelp(argv) {
	const end = argv.indexOf('--');
	const options = end === -1 ? argv : argv.slice(0, end);
	return options.some(option => ['--help', '-h', '--version', '-V'].includes(option));
}

/** Commands with `--check`, which sends nothing. */
const checkedCommands = new Set(['run', 'probe', 'diff', 'baseline', 'mutate', 'coverage']);

/** Without a command, `testbed` runs the types, whatever its options. */
function testbedNeedsKernel(argv) {
	const [first] = argv;
	// Printing a mutant does not install it.
	if (first === 'mutate' && argv.some(option => option === '--print' || option.startsWith('--print='))) {
		return false;
	}

	if (argv.includes('--check') && (checkedCommands.has(first) || first.startsWith('-'))) {
		return false;
	}

	// A list of lessons or cases is read from files.
	if (argv.includes('--list') && (first === 'lesson' || first === 'run' || first.startsWith('-'))) {
		return false;
	}

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

/** Turns what people name (`unit`, `kernel`, a source file) into the compiled files that ava runs. */
function testArguments(argv) {
	return argv.map((argument, index) => {
		if (index === 0 && (argument === 'unit' || argument === 'kernel')) {
			return `dist/test/${argument}`;
		}

		return argument.replace(/^(?:\.\/)?(test\/.*\.test)\.ts(:.*)?$/, (_, file, lines = '') => `dist/${file}.js${lines}`);
	});
}

/** How long the tests take. Nothing is printed for single files, which end soon. */
function testHint(argv) {
	if (asksForHelp(argv) || argv.some(argument => /\.test\.[jt]s(:|$)/.test(argument))) {
		return undefined;
	}

	return testsOnlyUnits(argv)
		? 'The unit tests take a minute or two on two cores.'
		: 'All tests take about 20 minutes on two cores, unit tests one or two.\nFaster: npm run test:unit, or npm test -- test/kernel/six-types.test.ts';
}

const never = () => false;

/**
Every act: what it does, its program, and its requirements.

- `trees`: the trees of npm packages that it needs (trees.cjs).
- `build`: what must be built, `testbed` or `test`; type errors do not stop the testbed.
- `kernel(argv)`: whether Linux, root and the netfilter programs are needed.
- `root(argv)`: whether only root can do it; without it, whatever needs Linux does.
- `programs`: further programs, by Debian package, that this act installs.
- `envoy`: whether the pinned Envoy is needed (envoy.cjs).
- `ciSchemas`: whether the pinned schemas of GitLab's and GitHub's files are needed (ci-schemas.cjs).
- `main`: the program is one of the CommonJS bundles of scripts/setup/bundle.cjs and exports `main(argv)`, which returns the exit status; otherwise it reads `process.argv` and starts when imported.
- `hint(argv)`: a message to print before the act starts, if any: how long it takes, if that is minutes.
*/
const acts = {
	testbed: {
		purpose: 'run the testbed (`--help` lists its commands)',
		program: 'dist/bin/cli.js', main: true, trees: ['testbed'], build: 'testbed', kernel: testbedNeedsKernel, root: argv => rootCommands.has(argv[0]),
	},
	test: {
		purpose: 'run the tests: all, `unit`, `kernel`, or files; needs root unless only unit tests are named',
		program: 'node_modules/ava/entrypoints/cli.mjs', trees: ['tests'], build: 'test', atRoot: true,
		arguments: testArguments, kernel: argv => !asksForHelp(argv) && !testsOnlyUnits(argv), hint: testHint,
	},
	bench: {
		purpose: 'measure a whole run and its indispensable parts',
		program: 'dist/bin/bench.js', main: true, trees: ['testbed'], build: 'testbed', kernel: argv => !asksForHelp(argv),
	},
	conformance: {
		purpose: 'compare the generated rules with those of the real istio-iptables; with `--proxy envoy`, the stub with Envoy (needs root)',
		program: 'dist/bin/conformance.js', main: true, trees: ['testbed'], build: 'testbed',
		kernel: argv => !asksForHelp(argv) && argv.some(argument => /^--proxy(?:=|$)/.test(argument)),
	},
	build: {purpose: 'install the packages and compile', trees: ['tests'], build: 'test', kernel: never},
	types: {
		purpose: 'compile, with the compiler\'s own messages and options',
		program: 'node_modules/typescript/lib/tsc.js', trees: ['tests'], atRoot: true, arguments: argv => ['-b', '--pretty', ...argv], kernel: never,
	},
	lint: {
		purpose: 'check types, style, the order of the rooms, the room graph and the list of commands',
		program: 'scripts/lint.mjs', trees: ['tests', 'lint'], atRoot: true, kernel: never,
	},
	graph: {purpose: 'write the room graph to ARCHITECTURE.md', program: 'scripts/graph.mjs', trees: ['tests', 'lint'], atRoot: true, kernel: never},
	schemas: {
		purpose: 'write the JSON Schemas of all documents to schemas/',
		program: 'scripts/schemas.mjs', trees: ['tests'], build: 'test', atRoot: true, kernel: never,
	},
	reference: {purpose: 'write docs/reference.md and the man pages from the help of every command', program: 'scripts/reference.mjs', trees: ['tests'], build: 'test', atRoot: true, kernel: never},
	coverage: {
		purpose: 'measure how much of src/ and testbed/ the tests reach (by default the unit tests)',
		program: 'scripts/coverage.mjs', trees: ['tests'], build: 'test', atRoot: true, kernel: argv => argv[0] === 'kernel',
	},
	'check-package': {
		purpose: 'pack the package, install it in a temporary folder, and test it there; publishes nothing',
		program: 'scripts/check-package.mjs', trees: ['tests'], build: 'test', atRoot: true, kernel: never,
	},
	image: {
		purpose: 'build the container image with buildah and mmdebstrap (docs/install.md)',
		program: 'scripts/image.mjs', trees: ['testbed'], build: 'testbed', atRoot: true, kernel: never,
	},
	'ci-tools': {
		purpose: 'install what only CI needs: ruby, shellcheck, tshark, chromium, zsh, fish, mandoc, uidmap, nc, the linters, vitest, the client for Kubernetes, schemas of CI files, Envoy',
		trees: ['tests', 'lint', 'examples', 'kubernetes'], programs: checkerPrograms, envoy: true, ciSchemas: true, kernel: never,
	},
};

module.exports = {acts, checkerPrograms, kernelCommands, netfilterPrograms, rootCommands, testbedNeedsKernel};
