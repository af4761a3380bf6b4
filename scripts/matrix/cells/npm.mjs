export const npmCells = [];
