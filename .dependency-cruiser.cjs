'use strict';

/** Data flows down this list; a file imports only from rooms above its own. */
const rooms = ['parsing', 'netfilter', 'istio', 'scenario', 'trace', 'judge', 'packet-classes', 'comparison', 'baseline', 'mutation', 'report'];

/** What each room must never be, for the message that people see when they break its rule. */
const purposes = {
	netfilter: 'netfilter/ is the vocabulary of all others and imports no other room.',
	istio: 'istio/ writes rules; it knows no trace, no scenario and no namespace.',
	scenario: 'scenario/ says who sends what and what is expected; it holds no result.',
	trace: 'trace/ turns events into paths; it does not know what was expected, so it does not see scenario/ either.',
	judge: 'judge/ compares; it never prints.',
	report: 'report/ turns a report into text; only the index stands below it.',
};

/** Rooms that a room above them in the list must not see all the same. */
const hidden = {trace: ['scenario']};

function roomRule(room, index) {
	const banned = [...rooms.slice(index + 1), ...(hidden[room] ?? [])];
	return {
		name: `room-${room}`, severity: 'error', comment: purposes[room],
		from: {path: `^src/${room}/`},
		to: {path: [...banned.map(name => `^src/${name}/`), String.raw`^src/[^/]+\.ts$`]},
	};
}

module.exports = {
	forbidden: [
		...rooms.map((room, index) => roomRule(room, index)),
		{
			name: 'no-circular', severity: 'error', comment: 'Two files that need each other are one file, or hide a third.',
			from: {}, to: {circular: true},
		},
		{
			name: 'no-unresolvable', severity: 'error', comment: 'An import that cannot be followed would escape all other rules.',
			from: {}, to: {couldNotResolve: true},
		},
		{
			name: 'known-rooms', severity: 'error', comment: 'A new folder in src/ needs its place in the list of rooms.',
			from: {path: '^src/', pathNot: [`^src/(${rooms.join('|')})/`, String.raw`^src/index\.ts$`]}, to: {},
		},
		{
			name: 'src-is-pure', severity: 'error', comment: 'Everything in src/ can be replayed without a kernel: text and bytes in, values out.',
			from: {path: '^src/'},
			to: {path: ['^testbed/', '^test/', '^scripts/', 'node_modules/(?:execa|koffi|tmp-promise|commander)/']},
		},
		{
			name: 'src-without-node', severity: 'error', comment: 'src/ runs in a browser as it stands; the compiler forbids the same.',
			from: {path: '^src/'}, to: {dependencyTypes: ['core']},
		},
		{
			name: 'testbed-is-below', severity: 'error', comment: 'Only the tests of the kernel, the unit tests of pure parts of testbed/, and their helpers import testbed/.',
			from: {pathNot: ['^testbed/', '^test/kernel/', '^test/unit/testbed/', '^test/helpers/']}, to: {path: '^testbed/'},
		},
		{
			name: 'testbed-knows-no-test', severity: 'error', comment: 'What runs on a user\'s machine does not depend on tests.',
			from: {path: '^(?:testbed|src)/'}, to: {path: '^(?:test|scripts)/'},
		},
		{
			name: 'one-door-to-programs', severity: 'error', comment: 'Other programs are started through testbed/system/exec.ts, so that every error has its command line and stderr.',
			from: {path: '^testbed/', pathNot: String.raw`^testbed/system/exec\.ts$`}, to: {path: 'node_modules/execa/'},
		},
		{
			name: 'one-door-to-ffi', severity: 'error', comment: 'The kernel is called through testbed/syscalls/: a wrong type there is a crash, so it stands in one place.',
			from: {path: '^testbed/', pathNot: '^testbed/syscalls/'}, to: {path: 'node_modules/koffi/'},
		},
	],
	options: {
		doNotFollow: {path: 'node_modules'},
		// Types are dependencies too: a room that borrows only a type from below knows that room all the same.
		tsPreCompilationDeps: true,
		tsConfig: {fileName: 'tsconfig.base.json'},
		enhancedResolveOptions: {exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default']},
		reporterOptions: {
			// The picture shows rooms, not files: `src/netfilter`, `testbed/tracer` …, and files that stand beside the rooms by themselves.
			archi: {collapsePattern: '^(?:src|testbed)/[^/]+'},
		},
	},
};
