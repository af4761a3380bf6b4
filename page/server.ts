/**
The page's line to the server: what it shows comes by an event stream, what it asks for goes as JSON. It keeps nothing that the server does not know, but for what is being typed.
*/

import {useCallback, useEffect, useRef, useState} from 'preact/hooks';
import type {
	Action, Hello, MoveDrawings, NumberedView, Problem, Snapshot,
} from '../src/workshop/protocol.js';
import {OwnViews} from './own-views.js';

/** What the page knows. */
export type ServerState = {
	readonly hello: Hello | null;
	readonly snapshot: Snapshot | null;
	/** Whether the stream is open. Without it, what is shown is the last that was heard. */
	readonly isConnected: boolean;
	/** What went wrong with the last request, where the server's state does not tell. */
	readonly problem: Problem | null;
	/** This page's own name: the server lets one page act at a time. */
	readonly page: string;
	readonly act: (action: Action) => Promise<boolean>;
};

const page = [...crypto.getRandomValues(new Uint8Array(9))].map(byte => byte.toString(16).padStart(2, '0')).join('');

/** The state of the server, as long as the component is there. */
export function useServer(): ServerState {
	const [hello, setHello] = useState<Hello | null>(null);
	const [snapshot, setSnapshot] = useState<Snapshot | null>(null);
	const [isConnected, setConnected] = useState(false);
	const [problem, setProblem] = useState<Problem | null>(null);
	const {current: own} = useRef(new OwnViews());

	useEffect(() => {
		// The token is in a cookie now, and need not stand in the address.
		history.replaceState(null, '', `${location.pathname}${location.hash}`);
		void loadHello(setHello, setProblem);
		const events = new EventSource(`/api/events?page=${page}`);
		events.addEventListener('open', () => {
			setConnected(true);
		});
		events.addEventListener('error', () => {
			setConnected(false);
		});
		events.addEventListener('state', ({data}: MessageEvent<string>) => {
			const next = JSON.parse(data) as Snapshot;
			setSnapshot({...next, view: own.heard(next)});
		});
		events.addEventListener('view', ({data}: MessageEvent<string>) => {
			const view = own.heard(JSON.parse(data) as NumberedView);
			setSnapshot(before => before === null ? null : {...before, view});
		});
		return () => {
			events.close();
		};
	}, [own]);

	const act = useCallback(async (action: Action): Promise<boolean> => {
		if (action.kind !== 'view') {
			const refused = problemOf(await post(action));
			setProblem(refused);
			return refused === null;
		}

		const show = (): void => {
			setSnapshot(before => before === null ? null : {...before, view: own.shown ?? before.view});
		};

		const sending = own.send(action.view, async view => {
			const answer = await post({kind: 'view', view});
			setProblem(problemOf(answer));
			return 'message' in answer ? undefined : answer.viewNumber;
		});
		show();
		const wasTaken = await sending;
		show();
		return wasTaken;
	}, [own]);

	return {
		hello, snapshot, isConnected, problem, page, act,
	};
}

/** Asks the server for an action. */
async function post(action: Action): Promise<NumberedView | Problem> {
	try {
		const response = await fetch('/api/act', {method: 'POST', headers: {'content-type': 'application/json', 'x-testbed-page': page}, body: JSON.stringify(action)});
		return await response.json() as NumberedView | Problem;
	} catch {
		return {message: 'The server does not answer any more.', hint: 'It may have ended. Start it anew: testbed serve'};
	}
}

function problemOf(answer: NumberedView | Problem): Problem | null {
	return 'message' in answer ? answer : null;
}

async function loadHello(setHello: (hello: Hello) => void, setProblem: (problem: Problem) => void): Promise<void> {
	try {
		const response = await fetch('/api/hello');
		setHello(await response.json() as Hello);
	} catch {
		setProblem({message: 'The server does not answer.', hint: 'Is testbed serve still running?'});
	}
}

/** The drawings of one statement of a comparison; null where it is no longer there. */
export async function loadDrawings(comparison: number, place: number): Promise<MoveDrawings | null> {
	const response = await fetch(`/api/moves/${comparison}/${place}`);
	return response.ok ? await response.json() as MoveDrawings : null;
}
