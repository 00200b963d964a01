#!/bin/sh
# git-run REPOSITORY INTEGRATION WORKTREES TASKS: for each folder of TASKS, by name, what a run does for a task, by the git
# command line: a worktree at the head of the integration branch, the files, a commit, the merge, and the worktree goes.
set -eu
repository=$1 integration=$2 worktrees=$3 tasks=$4

for task in "$tasks"/*; do
    name=${task##*/}
    tree=$worktrees/$name
    git -C "$repository" worktree add --quiet -b "feat/$name" "$tree" run/1
    cp -R "$task/." "$tree/"
    git -C "$tree" add --all
    git -C "$tree" commit --quiet --message "feat: $name"
    git -C "$integration" merge --quiet --no-ff --message "Merge feat/$name" "feat/$name"
    git -C "$repository" worktree remove "$tree"
done
