import fs from 'node:fs';
import path from 'node:path';

const trees = ['src', 'testbed', 'page', 'test', 'scripts', 'examples'];

function sourceFiles(root) {
	return trees.filter(tree => fs.existsSync(path.join(root, tree))).flatMap(tree => fs.readdirSync(path.join(root, tree), {recursive: true, withFileTypes: true})
		.filter(entry => entry.isFile() && /\.(?:ts|mjs|cjs|js)$/.test(entry.name))
		.map(entry => path.relative(root, path.join(entry.parentPath, entry.name)))
		.filter(name => !/(?:^|\/)(?:node_modules|dist)\//.test(name)));
}

/** The comments in a source text with their lines. A comment marker inside a string counts as one too, which at worst leads to a complaint about a string. */
function commentsOf(text) {
	return [...text.matchAll(/\/\*[\s\S]*?\*\/|(?:^|[\t ;{(])\/\/ .*$/gm)].map(({0: comment, index}) => ({comment, line: text.slice(0, index).split('\n').length}));
}

/** Documents that a comment names and that are neither at the root of the repository, nor next to the file, nor at a URL. */
function missingDocuments(comment, {root, file}) {
	return [...comment.matchAll(/(?<![\w./-])[\w.-][\w./-]*\.md\b/g)].map(([name]) => name)
		.filter(name => ![root, path.join(root, path.dirname(file))].some(folder => fs.existsSync(path.join(folder, name))));
}

/**
Phrases of an old dialect of this project, each with what to say instead. The list has only phrases that no good sentence needs; comments are in plain American English. `scripts/lint/words.mjs` lists the words that are banned in identifiers.

@type {Array<[phrase: RegExp, say: string]>}
*/
export const dialect = [
	[/\bwhat (?:has )?(?:come|came|comes|became|becomes) of\b/iu, 'the result of, what happens to'],
	[/\bcame of (?:it|this|that|them)\b/iu, 'the result'],
	[/\bthere where\b/iu, 'where, if; "present if" for an optional key'],
	[/\bforet(?:old|ells?)\b/iu, 'predicted, expected'],
	[/\bfor ever\b/iu, 'forever'],
	[/\b(?:go|goes|went|going) round\b/iu, 'loop'],
	[/\banew\b/iu, 'again'],
	[/\b(?:is|are|was|were) due\b(?! to\b)/iu, 'is expected'],
	[/\bgravest\b/iu, 'most severe'],
	[/\bour (?:own )?reading\b/iu, 'the model'],
	[/\b(?:wants?|wanted) to go to\b/iu, 'is addressed to'],
	[/\bfinds? back\b/iu, 'returns'],
	[/\bnobody's business\b/iu, 'not shown'],
	[/\bother way round\b/iu, 'the reverse'],
	[/\bsomebody (?:has )?brought\b/iu, 'a user\'s'],
	[/\b(?:comes?|came) to nothing\b/iu, 'fails'],
	[/\bmend(?:s|ed|ing)?\b/iu, 'fix'],
	[/\bevaluat(?:es?|ed|ing)\b/iu, 'tests, for rules and conditions'],
	[/\btwins?\b/iu, 'counterpart'],
	[/\bgist\b/iu, 'summary, signature'],
	[/\bwitness(?:es)?\b/iu, 'evidence, counter check, example'],
	[/\b(?:behaviour|colour|favour|neighbour|centre|licence|judgement|(?:initial|normal|optim|recogn|serial|summar)is(?:e[ds]?|ing|ation)\b)/iu, 'the American spelling'],
];

/** The dialect in a comment. Code in backquotes is skipped, because it may be a key of a document. */
function dialectIn(comment) {
	const text = comment.replaceAll(/`[^`]*`/gu, '').replaceAll(/\s+/gu, ' ');
	return dialect.flatMap(([phrase, say]) => {
		const found = phrase.exec(text);
		return found === null ? [] : [{found: found[0], say}];
	});
}

/**
What readers cannot find or follow in comments, one line each: missing documents; in code about meshes, the steps (`A5`) of a description that is not in the repository; and phrases of the {@link dialect}.
*/
export function complaintsAboutComments(root) {
	return sourceFiles(root).flatMap(file => commentsOf(fs.readFileSync(path.join(root, file), 'utf8')).flatMap(({comment, line}) => [
		...missingDocuments(comment, {root, file}).map(name => `${file}:${line} cites ${name}, which is not in the repository. State the fact itself, or name a public source.`),
		...(/^src\/(?:istio|mesh|scenario)\//.test(file) ? [...comment.matchAll(/\bA\d{1,2}\b|\b[Ss]teps? \d+/g)] : []).map(([step]) => `${file}:${line} cites "${step}", a step of a description that is not in the repository. Name the function in the mesh's own sources.`),
		...dialectIn(comment).map(({found, say}) => `${file}:${line} says "${found}" in a comment. Say instead: ${say}.`),
	]));
}
