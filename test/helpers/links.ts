/** Links between Markdown pages: each leads to a file that is there, and to a heading that is in it. */

import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';

/** The anchors of a page, as GitHub makes them of its headings. */
export function anchorsOf(page: string): ReadonlySet<string> {
	return new Set([...page.replaceAll(/^```[\s\S]*?^```$/gmu, '').matchAll(/^#+ (?<heading>.+)$/gmu)].map(({groups}) => groups!['heading']!
		.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')));
}

/** What is wrong with the relative links of a page, a line each. `file` is its place in the checkout. */
export function complaintsAboutLinks(page: string, {file, root}: {readonly file: string; readonly root: string}): readonly string[] {
	return [...page.replaceAll(/^```[\s\S]*?^```$/gmu, '').matchAll(/\]\((?<target>[^)\s]+)\)/gu)].map(({groups}) => groups!['target']!).filter(target => !/^[a-z]+:/u.test(target)).flatMap(target => {
		const [name = '', anchor] = target.split('#');
		const to = name === '' ? file : path.join(path.dirname(file), name);
		if (!existsSync(path.join(root, to))) {
			return [`${file}: there is no ${to} (${target}).`];
		}

		const headings = () => anchorsOf(name === '' ? page : readFileSync(path.join(root, to), 'utf8'));
		return anchor === undefined || headings().has(anchor) ? [] : [`${file}: ${to} has no heading #${anchor}.`];
	});
}
