/** What a terminal shows: other text takes the place of the line that is rewritten. */

import process from 'node:process';
import test from 'ava';
import {execa} from 'execa';

const streams = new URL('../../../../testbed/system/streams.js', import.meta.url).href;

/** What a terminal gets from a program that has this module as `streams`; standard output is another place if `stdout` names one. */
async function shownBy(program: string, stdout = ''): Promise<string> {
	const code = `import(${JSON.stringify(streams)}).then(async streams => { ${program} })`;
	const {stdout: shown} = await execa('script', ['-q', '-e', '-c', `exec "$NODE" -e "$CODE" ${stdout}`, '/dev/null'], {stdin: 'ignore', env: {NODE: process.execPath, CODE: code, TERM: 'xterm'}});
	return shown.replaceAll('\r\n', '\n').replaceAll('\r\u{1B}[K', '<');
}

test('a remark replaces the line', async t => {
	t.is(await shownBy(String.raw`streams.rewriteLine("1 of 2"); streams.rewriteLine("2 of 2"); streams.tell("done\n"); streams.tell("bye\n");`), '<1 of 2<2 of 2<done\nbye');
});

test('so does standard output, on the same terminal only', async t => {
	const program = String.raw`streams.rewriteLine("1 of 2"); await streams.writeOut("answer\n"); streams.rewriteLine("")`;
	t.is(await shownBy(program), '<1 of 2<answer\n<');
	t.is(await shownBy(program, '> /dev/null'), '<1 of 2<');
});
