/**
`ambient:1.30 --ingress`: the rules that the CNI agent writes.
*/

import {generateAmbient} from '../../src/istio/ambient/generate.js';
import {parseAmbientInput, type AmbientOptions} from '../../src/istio/ambient/options.js';
import {ambientRouting} from '../../src/istio/ambient/routing.js';
import {intentOfAmbient} from '../../src/istio/intent.js';
import type {SidecarRouting} from '../../src/mesh/routing.js';
import {defaultBackend} from '../../src/netfilter/backends.js';
import {TestbedError} from '../errors.js';
import {kindOfSource} from './source.js';
import type {RuleInput} from './types.js';
import type {InputRequest, LoadedInputs} from './request.js';

/**
`ambient:` is what the agent writes in the pod, `ambient-host:` what it writes on the node.

@throws {InputError} naming the option; {TestbedError} INPUT for a run of the node's rules.
*/
export function ofAmbient(request: InputRequest): LoadedInputs {
	const isHost = kindOfSource(request.source) === 'ambient-host';
	if (isHost && request.isForShow !== true) {
		throw new TestbedError('INPUT', {message: `${request.source}: these are the rules on the node, and the six types are a pod's traffic.`, state: 'Nothing was installed.', hint: 'Look at them with: testbed rules'});
	}

	const {release, note, options} = parseAmbientInput(request.source.replace(/^ambient-host:/u, 'ambient:'));
	return ambientInputs(request, {
		release, options, notes: note === undefined ? [] : [note], isHost,
	});
}

/** The rules for given options, by each back end asked for. */
export function ambientInputs({source, families, backends = [defaultBackend]}: InputRequest, {release, options, notes, isHost = false}: {
	readonly release: string; readonly options: AmbientOptions; readonly notes: readonly string[]; readonly isHost?: boolean;
}): LoadedInputs {
	const inputs = backends.map((backend): RuleInput => {
		const ruleSet = generateAmbient({
			options, families, backend, scope: isHost ? 'host' : 'pod',
		});
		return {
			source, release, backend, ruleSet, reference: ruleSet, routing: isHost ? noRouting : ambientRouting(families), warnings: [], notes, intent: intentOfAmbient(options),
		};
	});
	return {inputs, missing: []};
}

const noRouting: SidecarRouting = {loopbackAddresses: [], markRules: [], localRoutes: []};
