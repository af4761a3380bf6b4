/**
Sends what a step of a lesson asks for in the sandbox that the page uses anyway.
*/

import {gapsIn} from '../../src/judge/judge.js';
import {needsProber} from '../../src/scenario/probe-spec.js';
import {ownSandboxes, type ObserveOptions, type StepSender} from '../lessons/observe-step.js';
import type {AnsweringSandbox} from './answering-sandbox.js';
import {plannedOf} from './rounds.js';

/** The sandbox as a sender of steps. A connection that no standing actor can open, from a source of its own or a socket with options, gets a sandbox of its own. */
export function standingSender(sandbox: AnsweringSandbox, options: Omit<ObserveOptions, 'folder' | 'sender' | 'onProgress'>): StepSender {
	const own = ownSandboxes({...options, onProgress: () => undefined});
	return {
		async types({rules, family, credentials}, types) {
			const answered = await sandbox.ask({
				rules, family, types, credentials,
			});
			return {rules: answered.loaded.rules, connections: answered.types};
		},
		async connection(context, name, spec) {
			if (spec.source !== undefined || needsProber(spec)) {
				return own.connection(context, name, spec);
			}

			const {rules, family, credentials} = context;
			const {from, asked: to, protocol, uid, gid} = spec;
			const planned = plannedOf({
				kind: 'connection', from, to, protocol, ...(uid === undefined ? {} : {uid}), ...(gid === undefined ? {} : {gid}),
			}, family, {rules, credentials});
			const {connection, loaded} = await sandbox.ask({
				rules, family, types: [], credentials, connection: planned,
			});
			// What a connection is meant to do is not a lesson's business; only what it did.
			const {legs, loop, gaps, observedRoles} = connection!;
			return {
				rules: loaded.rules, connections: [{
					id: name, name, legs, loop, gaps: gapsIn({path: {legs}, gaps}), observedRoles,
				}],
			};
		},
	};
}
