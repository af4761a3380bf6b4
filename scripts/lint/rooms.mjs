import fs from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';

/** A smaller number means that the cruise did not see the sources; dependency-cruiser itself would call that a success. */
const modulesMin = 5;

const require = createRequire(import.meta.url);

/** Follows all imports of the project according to .dependency-cruiser.cjs. */
export async function cruiseRooms(root) {
	// Loaded here, so that `--help` and drawing need none of this folder's packages.
	const {cruise} = await import('dependency-cruiser');
	const {forbidden, options} = require(path.join(root, '.dependency-cruiser.cjs'));
	const {output} = await cruise(['src', 'testbed', 'page', 'test'].filter(folder => fs.existsSync(path.join(root, folder))), {
		...options, ruleSet: {forbidden}, validate: true, baseDir: root, tsConfig: undefined,
	});
	const modules = output.modules.filter(module => /^(?:src|testbed|page|test)\//.test(module.source));
	return {modules, violations: output.summary.violations};
}

/** Files that a replay must never load: it must work without root, Linux or iptables. */
const closed = {from: /^testbed\/recording\//, to: /^testbed\/(?:syscalls\/|system\/exec\.ts$)/};

/** The import paths by which files in `recording/` would load FFI or run programs. Types are not loaded. */
function pathsToTheKernel(modules) {
	const loads = new Map(modules.map(({source, dependencies = []}) => [
		source, dependencies.filter(({dependencyTypes}) => !dependencyTypes.includes('type-only')).map(({resolved}) => resolved),
	]));
	return [...loads.keys()].filter(source => closed.from.test(source)).flatMap(start => {
		const waits = [[start]];
		const seen = new Set([start]);
		for (const steps of waits) {
			for (const next of loads.get(steps.at(-1)) ?? []) {
				if (closed.to.test(next)) {
					return [[...steps, next]];
				}

				if (!seen.has(next)) {
					seen.add(next);
					waits.push([...steps, next]);
				}
			}
		}

		return [];
	});
}

/** What is wrong with the order of the rooms, one line each. */
export function complaintsAbout({modules, violations}) {
	if (modules.length < modulesMin) {
		return [`Only ${modules.length} modules were cruised, so nothing was checked: dependency-cruiser does not support this TypeScript (a new major version?), or the folders moved.`];
	}

	return [
		...violations.map(({rule, from, to, comment, cycle}) => {
			const steps = cycle === undefined ? `${from} → ${to}` : [from, ...cycle.map(({name}) => name)].join(' → ');
			return `${rule.name}: ${steps}${comment === undefined ? '' : ` (${comment})`}`;
		}),
		...pathsToTheKernel(modules).map(steps => `recording-needs-no-kernel: ${steps.join(' → ')} (recording/ and its imports must not load FFI or run programs.)`),
	];
}

/** The room of a file: `netfilter` of `src`; a file outside of the rooms has its own name. */
function roomOf(source) {
	const [top, name] = source.split('/');
	return {top, room: name.replace(/\.ts$/, '')};
}

/** The imports between the rooms of one tree. */
function importsWithin(tree, modules) {
	const edges = new Map();
	for (const {source, dependencies} of modules) {
		const {top, room} = roomOf(source);
		if (top !== tree) {
			continue;
		}

		const imported = edges.get(room) ?? new Set();
		edges.set(room, imported);
		for (const {resolved} of dependencies) {
			const to = /\.ts$/.test(resolved) ? roomOf(resolved) : undefined;
			if (to?.top === tree && to.room !== room) {
				imported.add(to.room);
			}
		}
	}

	return edges;
}

/** The rooms reachable from `room` in more than one step. */
function reach(edges, room, found = new Set()) {
	for (const next of edges.get(room) ?? []) {
		if (!found.has(next)) {
			found.add(next);
			reach(edges, next, found);
		}
	}

	return found;
}

/** The rooms of `src` or `testbed` and who imports whom, as a Mermaid flowchart. Arrows that follow from two others are left out to keep the picture readable; tests are left out because they may import everything they test. */
export function drawRooms(tree, {modules}) {
	const edges = importsWithin(tree, modules);
	const lines = [...edges].flatMap(([room, imported]) => [...imported]
		.filter(to => ![...imported].some(other => other !== to && reach(edges, other).has(to)))
		.map(to => `\t${room} --> ${to}`));
	const alone = [...edges.keys()].filter(room => !lines.some(line => line.trim().split(' --> ').includes(room)));
	return ['flowchart TD', ...alone.toSorted().map(room => `\t${room}`), ...lines.toSorted()].join('\n');
}

/** The pictures of both trees, for ARCHITECTURE.md. */
export function drawTrees(cruised) {
	return ['src', 'testbed'].map(tree => `\`${tree}/\`:\n\n\`\`\`mermaid\n${drawRooms(tree, cruised)}\n\`\`\``).join('\n\n');
}

const begin = '<!-- room-graph:begin, written by `npm run graph` -->';
const end = '<!-- room-graph:end -->';

/** The marked block of ARCHITECTURE.md. */
export function printBlock(graph) {
	return `${begin}\n${graph}\n${end}`;
}

/** The text with its marked block replaced, or undefined if it has none. */
export function replaceBlock(text, block) {
	const from = text.indexOf(begin);
	const to = text.indexOf(end);
	return from === -1 || to < from ? undefined : text.slice(0, from) + block + text.slice(to + end.length);
}
