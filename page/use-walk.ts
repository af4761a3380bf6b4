/**
Where the packet of a drawing is: what the stepper, the drawing and the list of rules have in common.
*/

import {useMemo} from 'preact/hooks';
import type {Connection} from '../src/drawing/connection.js';
import {walkOf} from '../src/drawing/walk.js';
import type {Action, View} from '../src/workshop/protocol.js';
import type {CurrentRule} from './rules.js';

/** The place of a packet. `setStep` is not there for who only watches. */
export type Walk = {readonly step: number | null; readonly current: CurrentRule; readonly setStep: ((step: number | null) => void) | undefined};

/** The place of a connection's packet in a view. */
export function useWalk(connection: Connection | undefined, view: View, act: ((action: Action) => Promise<boolean>) | undefined): Walk {
	const walk = useMemo(() => connection === undefined ? [] : walkOf(connection), [connection]);
	const step = view.step === null || walk.length === 0 ? null : Math.min(view.step, walk.length - 1);
	const current: CurrentRule = useMemo(() => {
		const at = step === null ? undefined : walk[step];
		return at?.kind === 'rule' ? {table: at.table, chain: at.asked.chain, number: at.asked.number} : null;
	}, [walk, step]);
	return {
		step,
		current,
		setStep: act === undefined
			? undefined
			: to => {
				void act({kind: 'view', view: {...view, step: to}});
			},
	};
}
