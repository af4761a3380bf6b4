/**
The actors in a run of the types.
*/

import {otherApps, otherProxies, type OtherSender} from '../../src/mesh/other-senders.js';
import type {ActorCredentials} from '../../src/mesh/traffic.js';
import type {RuleInput} from './types.js';

/** The actors of the types, and further senders: other users that the rules exempt as the proxy, and app containers with users of their own. */
export function playersOf({intent, apps = []}: Pick<RuleInput, 'intent' | 'apps'>, credentials: ActorCredentials): {readonly credentials: ActorCredentials; readonly others: readonly OtherSender[]} {
	return {credentials, others: [...otherProxies(intent, credentials), ...otherApps(apps, credentials)]};
}
