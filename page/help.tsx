/**
The keys of the page.
*/

const keys: ReadonlyArray<readonly [keys: string, what: string]> = [
	['1 – 6', 'send a type, or ask for a guess of it'],
	['Space', 'run the packet, or pause it'],
	['→  ←', 'next rule, one rule back'],
	['Shift →', 'next rule that matches'],
	['Home  End', 'first and last step'],
	['Escape', 'show all of the path'],
	['r', 'to the rules; ↑ ↓ go through them, Enter opens one, Delete deletes it, Alt ↑ ↓ moves it'],
	['u  y', 'undo, redo'],
	['l', 'load other rules'],
	['f', 'IPv4 or IPv6'],
	['s  p  c  e', 'send, predict, compare, lessons'],
	['1 – 9, 0', 'while guessing: a rule, or no rule; Page Down shows more'],
	['1 – 9', 'in a lesson: an answer; after it, a drawing, whose steps have the keys above'],
	['h, Enter', 'in a lesson: a hint, go on'],
	['+  −  t', 'larger type, smaller type, light or dark'],
];

/** The list, and a button that closes it. */
export function Help({onDone}: {readonly onDone: () => void}) {
	return (
		<section class='help' aria-label='Keys'>
			<h2>Keys</h2>
			<dl>{keys.map(([key, what]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>)}</dl>
			<div class='buttons'><button type='button' onClick={onDone}>Close</button></div>
		</section>
	);
}
