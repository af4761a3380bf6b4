/** CONTRIBUTING.md and ARCHITECTURE.md name files by their full paths, and every path that they name exists. */

import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {root} from './_setup.js';

/** What looks like a path of the project and is none: addresses, and the names of other packages. */
const otherNames = /^(?:@|sidecar-netfilter-testbed\/|[\d.]+\/\d+$|node_modules\/)/u;

/** A word of code that is a path: several parts, or a file name. Placeholders in capitals (`NAME.ts`) and patterns (`*.md`) are allowed in it. */
const pathLike = /^[\w.@-]*[\w*-](?:\/[\w.@*-]+)+\/?$|^[\w.@-]+\/$|^[\w.-]*\w\.(?:ts|tsx|mjs|cjs|js|md|sh|ya?ml|jsonl?)$/u;

/** A place without the parts that stand for many: `src/report/formats/NAME.ts` → `src/report/formats`. */
function fixedPart(named: string): string {
	const parts = named.split('/');
	const open = parts.findIndex(part => /\*|^[A-Z]{3,}(?=[-.]|$)/u.test(part) && !/^(?:README|CONTRIBUTING|ARCHITECTURE|CHANGELOG|SECURITY|LICENSE)\b/u.test(part));
	return (open === -1 ? parts : parts.slice(0, open)).join('/');
}

/** The paths that a document names in code, by line, which are not in the project. */
function missingPaths(text: string, exists: (file: string) => boolean): readonly string[] {
	const prose = text.replaceAll(/^```.*?^```$/gmsu, block => block.replaceAll(/[^\n]/gu, ''));
	return prose.split('\n').flatMap((line, index) => [...line.matchAll(/`(?<code>[^`]+)`/gu)]
		.flatMap(({groups}) => groups!['code']!.split(' '))
		.filter(word => pathLike.test(word) && !otherNames.test(word) && !exists(fixedPart(word)))
		.map(word => `${index + 1}: ${word}`));
}

/** The rooms that are in the first column of no table. */
function undescribedRooms(text: string, rooms: readonly string[]): readonly string[] {
	return rooms.filter(room => !new RegExp(`^\\| [^|]*\`${room}\``, 'mu').test(text));
}

for (const file of ['CONTRIBUTING.md', 'ARCHITECTURE.md']) {
	test(`every path in ${file} exists, counted from the root`, t => {
		const text = fs.readFileSync(path.join(root, file), 'utf8');
		t.deepEqual(missingPaths(text, named => fs.existsSync(path.join(root, named))), []);
		let seen = 0;
		missingPaths(text, () => {
			seen++;
			return true;
		});
		t.true(seen > 50, `only ${seen} paths were found`);
	});
}

test('ARCHITECTURE.md describes every room', t => {
	const text = fs.readFileSync(path.join(root, 'ARCHITECTURE.md'), 'utf8');
	const rooms = ['src', 'testbed'].flatMap(tree => fs.readdirSync(path.join(root, tree), {withFileTypes: true}).filter(entry => entry.isDirectory()).map(({name}) => `${tree}/${name}/`));
	t.true(rooms.length > 30, `only ${rooms.length} rooms were found`);
	t.deepEqual(undescribedRooms(text, rooms), []);
	t.deepEqual(undescribedRooms('| `src/a/` | holds x |\n| `src/c/`, `src/b/` | |\nAnd `src/d/`.', ['src/a/', 'src/b/', 'src/d/']), ['src/d/'], 'goes red: a room that is not in a table');
});

test('goes red: a file that was moved, a bare file name, a folder, and a placeholder in a folder that is not there', t => {
	const exists = (named: string): boolean => ['src/mesh', 'src/mesh/mesh.ts', 'README.md', 'src', 'lessons'].includes(named.replace(/\/$/u, ''));
	t.deepEqual(missingPaths('`src/mesh/gone.ts`, then `mesh.ts`\n`nowhere/` and `src/gone/NAME.ts`; `npm run x -- test/y.ts`', exists), ['1: src/mesh/gone.ts', '1: mesh.ts', '2: nowhere/', '2: src/gone/NAME.ts', '2: test/y.ts']);
	t.deepEqual(missingPaths('`src/mesh/mesh.ts` `README.md` `lessons/*.md` `src/NAME/` `lessons/NUMBER-NAME.md` `0.0.0.0/0` `@clack/core` `/proc/net` `node.js`\n```sh\ncat x/y.ts\n```', exists), ['1: node.js']);
});
