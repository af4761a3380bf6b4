import {createRequire} from 'node:module';
import path from 'node:path';

/** A smaller number means that the cruise did not see the sources; dependency-cruiser itself would call that a success. */
const modulesMin = 5;

const require = createRequire(import.meta.url);

/** Follows all imports of the project by the rules of .dependency-cruiser.cjs. */
export async function cruiseRooms(root) {
	// Loaded here, so that `--help` and what only draws need none of the packages of this folder.
	const {cruise} = await import('dependency-cruiser');
	const {forbidden, options} = require(path.join(root, '.dependency-cruiser.cjs'));
	const {output} = await cruise(['src', 'testbed', 'test'], {
		...options, ruleSet: {forbidden}, validate: true, baseDir: root, tsConfig: undefined,
	});
	const modules = output.modules.filter(module => /^(?:src|testbed|test)\//.test(module.source));
	return {modules, violations: output.summary.violations};
}

/** What is wrong with the order of the rooms, as lines. */
export function complaintsAbout({modules, violations}) {
	if (modules.length < modulesMin) {
		return [`Only ${modules.length} modules were cruised, so nothing was checked: dependency-cruiser does not understand this TypeScript (a new major?) or the folders moved.`];
	}

	return violations.map(({rule, from, to, comment, cycle}) => {
		const way = cycle === undefined ? `${from} → ${to}` : [from, ...cycle.map(({name}) => name)].join(' → ');
		return `${rule.name}: ${way}${comment === undefined ? '' : ` (${comment})`}`;
	});
}

/** The room of a file: `src/netfilter`, `testbed/tracer`; a file that stands beside the rooms is its own. */
function roomOf(source) {
	const [top, name] = source.split('/');
	return `${top}/${name.replace(/\.ts$/, '')}`;
}

/** The rooms and who imports whom, as the text of a mermaid flowchart. Tests are left out: they may see everything they test. */
export function drawRooms({modules}) {
	const edges = new Set();
	const rooms = new Set();
	for (const {source, dependencies} of modules.filter(module => !module.source.startsWith('test/'))) {
		const from = roomOf(source);
		rooms.add(from);
		for (const {resolved} of dependencies.filter(dependency => /^(?:src|testbed)\/.*\.ts$/.test(dependency.resolved))) {
			const to = roomOf(resolved);
			if (to !== from) {
				edges.add(`\t${from} --> ${to}`);
			}
		}
	}

	const alone = [...rooms].filter(room => [...edges].every(edge => !edge.split(' --> ').some(end => end.trim() === room)));
	return ['flowchart TD', ...alone.toSorted().map(room => `\t${room}`), ...[...edges].toSorted()].join('\n');
}

const begin = '<!-- room-graph:begin, written by `npm run graph` -->';
const end = '<!-- room-graph:end -->';

/** The marked block of ARCHITECTURE.md. */
export function printBlock(graph) {
	return `${begin}\n\`\`\`mermaid\n${graph}\n\`\`\`\n${end}`;
}

/** The text with its marked block replaced, or undefined when it has none. */
export function replaceBlock(text, block) {
	const from = text.indexOf(begin);
	const to = text.indexOf(end);
	return from === -1 || to < from ? undefined : text.slice(0, from) + block + text.slice(to + end.length);
}
