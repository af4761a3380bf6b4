import path from 'node:path';
import test from 'ava';
import {isolated, root, writeTree} from './_setup.js';

const {complaintsAboutComments} = await import(path.join(root, 'scripts/checks/comments.mjs')) as {complaintsAboutComments: (root: string) => string[]};

test('no comment of this repository cites what a reader cannot find, or speaks the old dialect', t => {
	t.deepEqual(complaintsAboutComments(root), []);
});

async function complain(file: string, text: string): Promise<string[]> {
	await using context = await isolated();
	writeTree(context.root, {'README.md': '# A\n', 'docs/limits.md': '# B\n', 'test/fixtures/README.md': '# C\n', [file]: text});
	return complaintsAboutComments(context.root);
}

// Put together, so that this file itself has no such comments.
const block = (text: string): string => ['/**', text, '*/\n'].join(' ');
const line = (text: string): string => ['//', text].join(' ');

for (const [title, file, text, complaint] of [
	['a document that is not there', 'src/judge/x.ts', `const a = 1;\n${block('See facts.md, "Sockets".')}`, /^src\/judge\/x\.ts:2 cites facts\.md/u],
	['a capital letter', 'test/unit/x.test.ts', block('Facts.md has it.'), /^test\/unit\/x\.test\.ts:1 cites Facts\.md/u],
	['a line comment behind code', 'testbed/x.ts', `const a = 1; ${line('By algorithm.md, section E.')}\n`, /^testbed\/x\.ts:1 cites algorithm\.md/u],
	['a document in a folder that lacks it', 'src/x.ts', `${line('See docs/limit.md.')}\n`, /cites docs\/limit\.md/u],
	['a step of Istio\'s rules', 'src/istio/x.ts', block('A7: DNS capture.'), /^src\/istio\/x\.ts:1 cites "A7"/u],
	['a numbered step', 'src/scenario/x.ts', `\n${line('Step 21 for UDP.')}\n`, /^src\/scenario\/x\.ts:2 cites "Step 21"/u],
	['dialect', 'src/x.ts', block('What came of a probe.'), /^src\/x\.ts:1 says "What came of" in a comment\. Say instead: the result of, what happens to\.$/u],
	['dialect over two lines', 'testbed/x.ts', block('By our\nreading it matches.'), /^testbed\/x\.ts:1 says "our reading" in a comment\. Say instead: the model\.$/u],
	['a British spelling', 'test/unit/x.test.ts', `${line('Recognises a color.')}\n`, /says "Recognises" in a comment\. Say instead: the American spelling\.$/u],
	['a rule that is evaluated', 'page/x.ts', block('Every rule that was evaluated.'), /^page\/x\.ts:1 says "evaluated" in a comment\. Say instead: tests, for rules and conditions\.$/u],
	['an expected rule that is due', 'scripts/x.mjs', `${line('The rule is due here.')}\n`, /says "is due"/u],
] as const) {
	test(`goes red: ${title}`, async t => {
		const complaints = await complain(file, text);
		t.is(complaints.length, 1, complaints.join('\n'));
		t.regex(complaints[0]!, complaint);
	});
}

for (const [title, file, text] of [
	['documents that are there', 'src/istio/x.ts', block('See README.md and docs/limits.md.')],
	['a document beside the file', 'test/fixtures/x.ts', `${line('README.md tells.')}\n`],
	['a document at an address', 'src/x.ts', `${line('See https://example.org/a/facts.md.')}\n`],
	['a string', 'test/unit/x.test.ts', 'const name = \'facts.md\';\n'],
	['dialect in code', 'src/x.ts', block('The key `witness` of the document.')],
	['a good sentence with the same words', 'src/x.ts', `${line('The loss is due to a full buffer; neighbors are normalized.')}\n`],
	['a name with digits elsewhere', 'src/judge/x.ts', `${line('The chain A1.')}\n`],
] as const) {
	test(`stays green: ${title}`, async t => {
		t.deepEqual(await complain(file, text), []);
	});
}
