'use strict';

/** The rooms of single meshes. None of them sees another. */
const meshRooms = ['consul', 'istio', 'kuma', 'linkerd'];

/** The rooms of `src/`, in order: a file imports only from its own room and from rooms before it. */
const rooms = ['parsing', 'sharding', 'netfilter', 'mesh', 'identity', ...meshRooms, 'scenario', 'trace', 'judge', 'model', 'packet-classes', 'comparison', 'baseline', 'mutation', 'drawing', 'lessons', 'report', 'workshop'];

/** What each room must never be, for the message that people see when they break its rule. */
const purposes = {
	parsing: 'parsing/ reads texts of any kind and imports no other room.',
	sharding: 'sharding/ cuts lists and brings results together; it does not know what the pieces are.',
	netfilter: 'netfilter/ is the vocabulary of all others; it knows no mesh.',
	mesh: 'mesh/ says what the testbed must know of a service mesh; it knows none by name.',
	identity: 'identity/ names rules by what it is given; it knows no mesh by its code.',
	...Object.fromEntries(meshRooms.map(room => [room, `${room}/ says what rules of that mesh look like and promise; it knows no other mesh, no trace, no scenario file and no namespace.`])),
	istio: 'istio/ writes rules and says what its own traffic should do; it knows no trace, no scenario file and no namespace.',
	scenario: 'scenario/ says who sends what and what is expected; it holds no result.',
	trace: 'trace/ turns events into paths; it does not know what was expected, so it does not see scenario/ either.',
	judge: 'judge/ compares; it never prints.',
	model: 'model/ predicts what actors do; it reads no rule and expects nothing.',
	'packet-classes': 'packet-classes/ divides packets by what the rules ask; it sends none and compares none.',
	drawing: 'drawing/ lays out what it is told; which words those are is report/\'s.',
	lessons: 'lessons/ reads lessons and judges answers by what the kernel did; it sends nothing and prints nothing.',
	report: 'report/ turns a report into text; it does not know who shows it.',
	workshop: 'workshop/ is what the page and the server of `testbed serve` have in common; it serves nothing and shows nothing.',
};

/** Rooms that come before a room and that it must not see all the same. */
const hidden = {trace: ['scenario'], ...Object.fromEntries(meshRooms.map(room => [room, meshRooms.filter(other => other !== room)]))};

/** The rooms of `testbed/`, in the same order. `errors.ts` comes before all of them, `index.ts` after `library`. */
const kernelRooms = [
	'syscalls', 'system', 'rootless', 'outputs', 'kernels', 'confinement', 'live', 'kubernetes', 'sandbox', 'inputs', 'tracer', 'actors', 'run', 'kept', 'prober', 'recording', 'shards', 'probe', 'lessons', 'doctor', 'analysis', 'conformance', 'library', 'serve', 'cli', 'bench',
];

const kernelPurposes = {
	syscalls: 'syscalls/ calls the kernel and knows nothing of what for.',
	rootless: 'rootless/ makes an ordinary user root in a user namespace; what runs there is not its business.',
	kernels: 'kernels/ boots other kernels; what runs in the guests is the testbed as a program.',
	live: 'live/ reads a namespace that somebody else made and changes nothing in it; it parses no rules.',
	kubernetes: 'kubernetes/ asks an API server for a pod; it derives no rules from it.',
	sandbox: 'sandbox/ builds namespaces and installs rules; it knows no trace and no actor.',
	run: 'run/ is the engine of `testbed run`; the prober has its own.',
	library: 'library/ is for programs that import the package; the command line is for people.',
	serve: 'serve/ holds the session and answers HTTP; what the page looks like is in page/.',
	cli: 'cli/ is argv to exit status; nothing but the bench comes after it.',
};

function roomRule(room, index) {
	const banned = [...rooms.slice(index + 1), ...(hidden[room] ?? [])];
	return {
		name: `room-${room}`, severity: 'error', comment: purposes[room],
		from: {path: `^src/${room}/`},
		to: {path: [...banned.map(name => `^src/${name}/`), String.raw`^src/[^/]+\.ts$`]},
	};
}

function kernelRoomRule(room, index) {
	return {
		name: `testbed-room-${room}`, severity: 'error', comment: kernelPurposes[room],
		from: {path: `^testbed/${room}/`},
		to: {path: [...kernelRooms.slice(index + 1).map(name => `^testbed/${name}/`), String.raw`^testbed/index\.ts$`]},
	};
}

module.exports = {
	forbidden: [
		...rooms.map((room, index) => roomRule(room, index)),
		...kernelRooms.map((room, index) => kernelRoomRule(room, index)),
		{
			name: 'meshes-by-contract', severity: 'error', comment: 'What is true of every mesh is in src/mesh/. Only what lists the meshes, reads the inputs of one or compares its rules with those of its real program names one.',
			from: {path: '^(?:src|testbed)/', pathNot: [`^src/(?:${meshRooms.join('|')})/`, String.raw`^src/(?:index|meshes)\.ts$`, '^testbed/(?:inputs|conformance)/']}, to: {path: `^src/(?:${meshRooms.join('|')})/`},
		},
		{
			name: 'no-circular', severity: 'error', comment: 'Two files that need each other are one file, or hide a third.',
			from: {}, to: {circular: true},
		},
		{
			name: 'no-unresolvable', severity: 'error', comment: 'An import that cannot be followed would escape all other rules.',
			from: {}, to: {couldNotResolve: true},
		},
		{
			name: 'known-rooms', severity: 'error', comment: 'A new folder in src/ needs its place in `rooms` (a mesh: in `meshRooms`) of .dependency-cruiser.cjs.',
			from: {path: '^src/', pathNot: [`^src/(${rooms.join('|')})/`, String.raw`^src/(?:index|meshes)\.ts$`]}, to: {},
		},
		{
			name: 'known-testbed-rooms', severity: 'error', comment: 'A new folder in testbed/ needs its place in `kernelRooms` of .dependency-cruiser.cjs, and a file belongs into one.',
			from: {path: '^testbed/', pathNot: [`^testbed/(${kernelRooms.join('|')})/`, String.raw`^testbed/(?:errors|index)\.ts$`]}, to: {},
		},
		{
			name: 'errors-come-first', severity: 'error', comment: 'errors.ts is imported by every room, so it imports none of them.',
			from: {path: String.raw`^testbed/errors\.ts$`}, to: {path: '^testbed/'},
		},
		{
			name: 'nothing-below-cli', severity: 'error', comment: 'An engine does not ask a command line; what both need belongs into a room before cli/.',
			from: {path: '^testbed/', pathNot: '^testbed/(?:cli|bench)/'}, to: {path: '^testbed/cli/'},
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
			name: 'testbed-is-below', severity: 'error', comment: 'Only the tests of the kernel, the unit tests of pure parts of testbed/, the tests of its types, and their helpers import testbed/.',
			from: {pathNot: ['^testbed/', '^test/kernel/', '^test/unit/testbed/', '^test/helpers/', '^test/types/']}, to: {path: '^testbed/'},
		},
		{
			name: 'page-shows', severity: 'error', comment: 'The page shows what the pure rooms draw and say: it imports them and Preact. It learns everything else over HTTP.',
			from: {path: '^page/'}, to: {path: ['^testbed/', '^test/', '^scripts/']},
		},
		{
			name: 'page-is-last', severity: 'error', comment: 'Only the browser runs the page.',
			from: {path: '^(?:src|testbed)/'}, to: {path: '^page/'},
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
