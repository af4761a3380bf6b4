/** What every answer to a spoiled input must obey. */

/** An answer that a law forbids. */
export class WrongAnswer extends Error {}

/** What is printed must read as the same again. Once something is understood, nothing of it may get lost. */
export function mustReadAgain(print, parse, what) {
	const printed = print(what);
	let again;
	try {
		again = print(parse(printed));
	} catch (error) {
		throw new WrongAnswer(`what was read is printed as something that is refused: ${error.message}`);
	}

	if (again !== printed) {
		throw new WrongAnswer('what was read is printed as something that reads differently');
	}
}
