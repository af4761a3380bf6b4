/** How a user calls the testbed, for commands to paste. */

import test from 'ava';
import {load} from './_setup.js';

const {installedName, programName} = load('program-name');

for (const [title, context, wanted] of [
	['in the root of the checkout', {root: '/x/testbed', cwd: '/x/testbed', called: '/x/testbed/bin/testbed'}, 'bin/testbed'],
	['by npm, which goes there', {root: '/x/testbed', cwd: '/x/testbed', called: '/x/testbed/scripts/run.cjs'}, 'bin/testbed'],
	['in a folder of it', {root: '/x/testbed', cwd: '/x/testbed/docs', called: '/x/testbed/bin/testbed'}, '../bin/testbed'],
	['elsewhere', {root: '/x/testbed', cwd: '/y', called: '/x/testbed/bin/testbed'}, '/x/testbed/bin/testbed'],
	['in a folder whose name begins alike', {root: '/x/testbed', cwd: '/x/testbed-2', called: '/x/testbed/bin/testbed'}, '/x/testbed/bin/testbed'],
	['a name with blanks', {root: '/x/my testbed', cwd: '/', called: '/x/my testbed/bin/testbed'}, '\'/x/my testbed/bin/testbed\''],
	['by a link in PATH', {root: '/x/testbed', cwd: '/y', called: '/usr/local/bin/testbed', env: {PATH: '/usr/bin:/usr/local/bin'}}, 'testbed'],
	['by a link elsewhere', {root: '/x/testbed', cwd: '/y', called: '/y/testbed', env: {PATH: '/usr/bin'}}, '/x/testbed/bin/testbed'],
] as const) {
	test(`a checkout, ${title}`, t => {
		t.is(programName(context), wanted);
	});
}

test('installed: testbed, or npx where no folder of PATH has it', t => {
	t.is(installedName({}), 'testbed');
	t.is(installedName({npm_command: 'exec'}), 'npx testbed');
});
