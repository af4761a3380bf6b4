/** The launcher must know before anything is built which commands need root; the definitions say it. */

import test from 'ava';
import {commandsForRoot} from '../../../../testbed/cli/main.js';
import {load} from '../../scripts/_setup.js';

const {kernelCommands} = load('acts');

test('the launcher asks for root for the commands whose definitions do', t => {
	t.deepEqual([...kernelCommands].toSorted(), [...commandsForRoot()].toSorted());
	t.true(kernelCommands.has('run'));
	t.false(kernelCommands.has('replay'));
});
