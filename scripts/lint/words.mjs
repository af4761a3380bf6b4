import fs from 'node:fs';
import path from 'node:path';

/**
Words banned from identifiers, each with what to use instead. They are old jargon of this project, or British spellings where all surrounding APIs use American ones.

Names are split into words: `switchTable` has the words `switch` and `table`. An entry of two words separated by a space bans that sequence.
*/
export const banned = new Map([
	['company', 'actor set'],
	['companies', 'actor sets'],
	['cast', 'actor group'],
	['casting', 'actor sandbox options'],
	['stage', 'actor sandbox, prober sandbox; progress for what is shown'],
	['stages', 'sandboxes'],
	['play', 'run, send'],
	['plays', 'runs'],
	['played', 'observations'],
	['playing', 'running'],
	['settle', 'merge rounds, await pending'],
	['settled', 'merged'],
	['settling', 'merging'],
	['fly', 'send'],
	['flight', 'probe result'],
	['flights', 'probe results'],
	['flown', 'delivered'],
	['way', 'path, path summary'],
	['ways', 'paths'],
	['world', 'packet space, expectation context, sandbox'],
	['worlds', 'packet spaces'],
	['surroundings', 'topology extension'],
	['neighbour', 'neighbor; consecutive for releases'],
	['neighbours', 'neighbors; consecutive'],
	['neighbourhood', 'participants'],
	['fate', 'mutant status'],
	['fates', 'mutant statuses'],
	['foretold', 'predicted, expected'],
	['foretell', 'predict'],
	['foretells', 'predicts'],
	['judging', 'report'],
	['held', 'installed'],
	['switch table', 'trace table'],
	['witness', 'counter check, example'],
	['witnesses', 'counter checks, examples'],
	['wave', 'batch'],
	['waves', 'batches'],
	['lane', 'job'],
	['lanes', 'jobs'],
	['twin', 'iptables name, counterpart'],
	['twins', 'counterparts'],
	['gist', 'summary, signature'],
	['mend', 'fix'],
	['mends', 'fixes'],
	['mended', 'fixed'],
	['troubles', 'problems'],
	['due', 'expected'],
	['normalise', 'normalize'],
	['normalised', 'normalized'],
	['recognise', 'recognize'],
	['recognised', 'recognized'],
	['summarise', 'summarize'],
	['serialise', 'serialize'],
	['initialise', 'initialize'],
	['optimise', 'optimize'],
	['colour', 'color'],
	['colours', 'colors'],
	['behaviour', 'behavior'],
	['favour', 'favor'],
	['centre', 'center'],
	['licence', 'license'],
	['judgement', 'judgment'],
]);

/**
Exceptions: a word in a file (or in all files of a folder, ending with a slash), with the reason.

@type {Array<{word: string, place: string, because: string}>}
*/
export const exceptions = [
	...['src/report/comparison/', 'src/report/mutation/json.ts', 'src/report/verification/json.ts', 'test/kernel/_diff.ts', 'test/kernel/diff.test.ts'].map(place => ({word: 'witness', place, because: 'a key of the JSON of diff, which keeps its keys'})),
	...['testbed/run/', 'testbed/recording/', 'testbed/actors/', 'testbed/sandbox/installed-rules.ts', 'testbed/sandbox/backends/driver.ts', 'testbed/analysis/record-baseline.ts', 'testbed/inputs/scenarios.ts', 'testbed/probe/prober-sandbox.ts', 'test/kernel/', 'test/unit/testbed/recording/']
		.flatMap(place => ['held', 'play', 'troubles'].map(word => ({word, place, because: 'keys of recordings, which later versions must be able to read, and names derived from them'}))),
];

/** Folders that are not checked. */
export const notYetRenamed = [];

/** The words of a name: `XmlText2` → xml, text; `by-protocol_id` → by, protocol, id. */
export function wordsOf(name) {
	return (name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g) ?? []).map(word => word.toLowerCase());
}

/** The banned words in a name, with what to use instead. */
export function bannedIn(name) {
	const words = wordsOf(name);
	const pairs = words.slice(1).map((word, index) => `${words[index]} ${word}`);
	return [...new Set([...words, ...pairs])].filter(word => banned.has(word)).map(word => ({word, say: banned.get(word)}));
}

/** The names that a source declares, with their lines: variables, parameters, functions, types and their members, and local names of imports. Names that are only used are checked where they are declared. */
export async function namesIn(text, file) {
	const {default: ts} = await import('typescript');
	const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, false, file.endsWith('.tsx') ? ts.ScriptKind.TSX : (file.endsWith('.ts') ? ts.ScriptKind.TS : ts.ScriptKind.JS));
	const names = [];
	const visit = node => {
		const {name} = node;
		// `{given: own}` declares `own`; reading a property (`a.given`) declares nothing.
		if (name !== undefined && (ts.isIdentifier(name) || ts.isPrivateIdentifier(name)) && !ts.isPropertyAccessExpression(node) && !ts.isMetaProperty(node)) {
			names.push({name: name.text, line: source.getLineAndCharacterOfPosition(name.getStart(source)).line + 1});
		}

		ts.forEachChild(node, visit);
	};

	visit(source);
	return names;
}

const isSource = name => /\.(?:tsx?|mjs|cjs|js)$/.test(name) && !name.endsWith('.d.ts');

function sourcesIn(root, folder) {
	return fs.readdirSync(path.join(root, folder), {recursive: true, withFileTypes: true})
		.filter(entry => entry.isFile() && isSource(entry.name))
		.map(entry => path.relative(root, path.join(entry.parentPath, entry.name)))
		.filter(file => !file.split('/').includes('node_modules'));
}

/**
Banned words in the names of files and their declarations, one line each.

@param {string} root
@param {{skipped?: string[], kept?: typeof exceptions, folders?: string[]}} [options] `skipped`: folders to skip ({@link notYetRenamed} by default).
*/
export async function complaintsAboutWords(root, {skipped = notYetRenamed, kept = exceptions, folders = ['src', 'testbed', 'page', 'test', 'scripts']} = {}) {
	const files = folders.filter(folder => fs.existsSync(path.join(root, folder))).flatMap(folder => sourcesIn(root, folder)).filter(file => !skipped.some(folder => file.startsWith(folder)));
	const complaints = await Promise.all(files.map(async file => {
		const isKept = word => kept.some(exception => exception.word === word && (exception.place === file || (exception.place.endsWith('/') && file.startsWith(exception.place))));
		const names = [{name: path.basename(file).replace(/\.[^.]+$/, ''), line: 1}, ...await namesIn(fs.readFileSync(path.join(root, file), 'utf8'), file)];
		return names.flatMap(({name, line}) => bannedIn(name).filter(({word}) => !isKept(word)).map(({word, say}) => `${file}:${line}: ${name} has the word "${word}"; say ${say}.`));
	}));
	return complaints.flat();
}
