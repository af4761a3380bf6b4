/** The user's request is invalid. The message names the option and says what would be valid. */
export class InputError extends Error {
	override readonly name = 'InputError';
	/** The option as the user wrote it, or undefined if the error is not about one option. */
	readonly option: string | undefined;

	constructor(message: string, option?: string) {
		super(option === undefined ? message : `${option}: ${message}`);
		this.option = option;
	}
}
