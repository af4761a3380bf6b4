/**
A piece of a field's domain.
*/

/** All values from `first` to `last`. For a mark, it is one value that represents all that the rules' masks cannot distinguish from it. */
export type Interval = {readonly first: bigint; readonly last: bigint};
