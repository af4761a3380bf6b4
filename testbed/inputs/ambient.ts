/**
`ambient:1.30 --ingress`: the rules that the CNI agent writes.
*/

import {generateAmbient} from '../../src/istio/ambient/generate.js';
import {parseAmbientInput, type AmbientOptions} from '../../src/istio/ambient/options.js';
import {ambientRouting} from '../../src/istio/ambient/routing.js';
import {intentOfAmbient} from '../../src/istio/intent.js';
import {istio} from '../../src/istio/mesh.js';
import type {SidecarRouting} from '../../src/mesh/routing.js';
import {defaultBackend} from '../../src/netfilter/backends.js';
import {quote} from '../../src/report/terminal/shell-quote.js';
import {TestbedError} from '../errors.js';
import {commandLine} from '../system/program-name.js';
import {kindOfSource} from './source.js';
import type {RuleInput} from './types.js';
import type {InputRequest, LoadedInputs} from './request.js';

/**
Loads the rules that the agent writes in the pod (`ambient:`) or on the node (`ambient-host:`).

@throws {InputError} naming the option; {TestbedError} INPUT if the node's rules are to be run.
*/
export function ofAmbient(request: InputRequest): LoadedInputs {
	const isHost = kindOfSource(request.source) === 'ambient-host';
	if (isHost && request.isForPrint !== true) {
		throw new TestbedError('INPUT', {message: `${request.source} names the rules of the node, but the sandbox is a pod.`, state: 'Nothing was installed.', hint: `They can be printed and compared: ${commandLine(`rules ${quote(request.source)}`)}`});
	}

	const {release, note, options} = parseAmbientInput(request.source.replace(/^ambient-host:/u, 'ambient:'));
	return ambientInputs(request, {
		release, options, notes: note === undefined ? [] : [note], isHost,
	});
}

/** The rules for given options, for each requested back end. */
export function ambientInputs({source, families, backends = [defaultBackend]}: InputRequest, {release, options, notes, isHost = false}: {
	readonly release: string; readonly options: AmbientOptions; readonly notes: readonly string[]; readonly isHost?: boolean;
}): LoadedInputs {
	const inputs = backends.map((backend): RuleInput => {
		const ruleSet = generateAmbient({
			options, families, backend, scope: isHost ? 'host' : 'pod',
		});
		return {
			source, release, mesh: istio, backend, ruleSet, reference: ruleSet, routing: isHost ? noRouting : ambientRouting(families), warnings: [], notes, intent: intentOfAmbient(options),
		};
	});
	return {inputs, missing: []};
}

const noRouting: SidecarRouting = {loopbackAddresses: [], markRules: [], localRoutes: []};
