/**
The correct set of Istio rules for an intent that was derived from a dump: the newest release's, in the mode of the dump.
*/

import type {Intent} from '../mesh/intent.js';
import type {RulesPlace} from '../mesh/mesh.js';
import type {SidecarRouting} from '../mesh/routing.js';
import type {AddressFamily, RuleSet} from '../netfilter/types.js';
import {generateAmbient} from './ambient/generate.js';
import {defaultAmbientOptions} from './ambient/options.js';
import {ambientRouting} from './ambient/routing.js';
import {generate} from './generate.js';
import {parseReleaseInput, type ReleaseInput} from './options/arguments.js';
import {newestRelease} from './releases.js';
import {sidecarRouting} from './routing.js';

function injectedFor({inboundInterceptionMode, inboundTproxyMark}: Intent): Pick<ReleaseInput, 'release' | 'options'> {
	const {release, options} = parseReleaseInput(`release:${newestRelease.name}`);
	return {release, options: {...options, inboundInterceptionMode, inboundTproxyMark}};
}

/** The rules of the newest release with injection. */
export function referenceOf(intent: Intent, {families, backend}: RulesPlace): RuleSet {
	return intent.ambient === undefined
		? generate({...injectedFor(intent), families, backend})
		: generateAmbient({options: {...defaultAmbientOptions, ingress: intent.ambient.ingress}, families, backend});
}

/** What that release sets up besides its rules. */
export function routingOf(intent: Intent, families: readonly AddressFamily[]): SidecarRouting {
	const {release, options} = injectedFor(intent);
	return intent.ambient === undefined ? sidecarRouting(options, families, release) : ambientRouting(families);
}
