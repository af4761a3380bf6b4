/**
The correct set of Istio rules for an intent that was derived from a dump: those of the release that writes such rules, in the mode of the dump.
*/

import type {Intent} from '../mesh/intent.js';
import type {RulesPlace} from '../mesh/mesh.js';
import type {SidecarRouting} from '../mesh/routing.js';
import type {AddressFamily, RuleSet} from '../netfilter/types.js';
import {generateAmbient} from './ambient/generate.js';
import {defaultAmbientOptions} from './ambient/options.js';
import {ambientRouting} from './ambient/routing.js';
import {generate} from './generate.js';
import {injectedOptions, releaseLike} from './identity/release-like.js';
import type {ReleaseInput} from './options/arguments.js';
import {newestRelease} from './releases.js';
import {sidecarRouting} from './routing.js';

function injectedFor({inboundInterceptionMode, inboundTproxyMark}: Intent, like: RuleSet | undefined): Pick<ReleaseInput, 'release' | 'options'> {
	const release = like === undefined ? newestRelease : releaseLike(like);
	return {release, options: injectedOptions(release, {inboundInterceptionMode, inboundTproxyMark})};
}

/** The rules that the injection of a release writes: the one that `like` is of, otherwise the newest. */
export function referenceOf(intent: Intent, {families, backend}: RulesPlace, like?: RuleSet): RuleSet {
	return intent.ambient === undefined
		? generate({...injectedFor(intent, like), families, backend})
		: generateAmbient({options: {...defaultAmbientOptions, ingress: intent.ambient.ingress}, families, backend});
}

/** What that release sets up besides its rules. */
export function routingOf(intent: Intent, families: readonly AddressFamily[], like?: RuleSet): SidecarRouting {
	const {release, options} = injectedFor(intent, like);
	return intent.ambient === undefined ? sidecarRouting(options, families, release) : ambientRouting(families);
}
