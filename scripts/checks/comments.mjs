import fs from 'node:fs';
import path from 'node:path';

const trees = ['src', 'testbed', 'test', 'scripts', 'examples'];

function sourceFiles(root) {
	return trees.filter(tree => fs.existsSync(path.join(root, tree))).flatMap(tree => fs.readdirSync(path.join(root, tree), {recursive: true, withFileTypes: true})
		.filter(entry => entry.isFile() && /\.(?:ts|mjs|cjs|js)$/.test(entry.name))
		.map(entry => path.relative(root, path.join(entry.parentPath, entry.name)))
		.filter(name => !/(?:^|\/)(?:node_modules|dist)\//.test(name)));
}

/** The comments of a source text with their lines. A comment marker in a string is taken for one too, which at worst complains about a string. */
function commentsOf(text) {
	return [...text.matchAll(/\/\*[\s\S]*?\*\/|(?:^|[\t ;{(])\/\/ .*$/gm)].map(({0: comment, index}) => ({comment, line: text.slice(0, index).split('\n').length}));
}

/** Documents that a comment names and that are neither at the root of the repository, nor beside the file, nor at an address. */
function missingDocuments(comment, {root, file}) {
	return [...comment.matchAll(/(?<![\w./-])[\w.-][\w./-]*\.md\b/g)].map(([name]) => name)
		.filter(name => ![root, path.join(root, path.dirname(file))].some(folder => fs.existsSync(path.join(folder, name))));
}

/**
What comments cite that a reader of the repository cannot find, as lines: documents that it does not have, and in what is about a mesh the steps (`A5`) of a description that it does not have.
*/
export function complaintsAboutComments(root) {
	return sourceFiles(root).flatMap(file => commentsOf(fs.readFileSync(path.join(root, file), 'utf8')).flatMap(({comment, line}) => [
		...missingDocuments(comment, {root, file}).map(name => `${file}:${line} cites ${name}, which the repository does not have. Say the fact itself, or name a source that everybody can read.`),
		...(/^src\/(?:istio|mesh|scenario)\//.test(file) ? [...comment.matchAll(/\bA\d{1,2}\b|\b[Ss]teps? \d+/g)] : []).map(([step]) => `${file}:${line} cites "${step}", a step of a description that the repository does not have. Name the function of the mesh's own sources.`),
	]));
}
