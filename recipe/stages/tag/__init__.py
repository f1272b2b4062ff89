"""Labels of every sample: task, kind of answer, concepts, trouble. Each file: pool -> table of n labels."""
