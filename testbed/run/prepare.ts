/**
What a run can start before it knows its rules.
*/

import type {Backend} from '../../src/netfilter/types.js';
import {prepareConfinement} from '../confinement/run-confined.js';
import {prepareEnvironment} from '../confinement/environment.js';

/**
Starts the thread of the rule tools and asks for versions, without waiting. A command calls it before it reads rules: that takes one processor, and later the processes of the actors take all of them (some 30 of 760 ms).

@param backend The one whose versions will be reported, if that is known.
*/
export function prepareRun(backend: Backend): void {
	prepareConfinement();
	prepareEnvironment(backend);
}
