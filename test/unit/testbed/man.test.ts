/** The man pages are what the help says, and what mandoc accepts without a word. */

import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {execa} from 'execa';
import {isLeftOut} from '../../helpers/left-out.js';

type Helps = ReadonlyArray<{readonly words: readonly string[]; readonly help: string}>;
type Man = {
	complaintsAboutManPages: (root: string, helps: Helps) => string[];
	printManPages: (helps: Helps) => ReadonlyMap<string, string>;
};

const root = process.cwd();
const {complaintsAboutManPages, printManPages} = await import(path.join(root, 'scripts/checks/man.mjs')) as Man;
const {helpOfEveryCommand} = await import(path.join(root, 'scripts/checks/reference.mjs')) as {helpOfEveryCommand: (root: string) => Promise<Helps>};
const helps = await helpOfEveryCommand(root);

test('man/ is what the help of every command says', t => {
	t.deepEqual(complaintsAboutManPages(root, helps), []);
});

test('a page has every argument and option of the help, and all its text', t => {
	const plain = (text: string): string => text.replaceAll(/\\f[BR]/gu, '').replaceAll(String.raw`\-`, '-').replaceAll(String.raw`\&`, '').replaceAll(String.raw`\e`, '\\').replaceAll(/\s+/gu, ' ').toLowerCase();
	for (const {words, help} of helps) {
		const page = plain(printManPages(helps).get(`man/${['testbed', ...words].join('-')}.1`) ?? '');
		const missing = help.split(/\s+/u).filter(word => /^[a-z\d][a-z\d-]+$/u.test(word) && !page.includes(word));
		t.deepEqual(missing, [], words.join(' '));
		for (const [option] of help.matchAll(/^ {2}(?:-\w, )?--[\w-]+(?: <[^>]+>)?/gmu)) {
			t.true(page.includes(option.trim().toLowerCase()), `${words.join(' ')}: ${option}`);
		}
	}
});

test('goes red: another option, a page too many, a page that is missing', t => {
	const changed = helps.map(one => ({...one, help: one.help.replace('--stops-only', '--stops')}));
	t.deepEqual(complaintsAboutManPages(root, changed), ['man/testbed-baseline-check.1 is not what the help says. If the help is right, run: npm run reference']);
	t.true(complaintsAboutManPages(root, helps.filter(({words}) => words[0] !== 'clean')).includes('man/testbed-clean.1 is the page of no command. Run: npm run reference'));
	t.true(complaintsAboutManPages(root, [...helps, {words: ['new'], help: 'Usage: testbed new\n\nsomething new\n'}]).some(text => text.startsWith('man/testbed-new.1 is not what the help says')));
});

test('mandoc finds nothing to complain about', async t => {
	if (isLeftOut(t, {program: 'mandoc'})) {
		return;
	}

	const pages = readdirSync(path.join(root, 'man')).map(name => `man/${name}`);
	t.true(pages.length >= 18);
	const {exitCode, stdout, stderr} = await execa('mandoc', ['-Tlint', ...pages], {cwd: root, reject: false});
	t.deepEqual([exitCode, stdout, stderr], [0, '', '']);
	const broken = await execa('mandoc', ['-Tlint'], {input: readFileSync(path.join(root, pages[0]!), 'utf8').replace('.SH OPTIONS', '.SX OPTIONS'), reject: false});
	t.not(broken.stdout, '');
});

test('the package brings the pages along', t => {
	const {files, directories} = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {files: readonly string[]; directories: {man: string}};
	t.true(files.includes('man'));
	t.is(directories.man, 'man');
});
