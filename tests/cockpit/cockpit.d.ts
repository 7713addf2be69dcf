/** What the page uses of Cockpit's base1/cockpit.js. */
declare namespace cockpit {
    interface Problem {
        problem?: string | null;
        message?: string;
        exit_status?: number | null;
    }
    interface Process {
        stream(each: (data: string) => void): Process;
        then(done: () => void, failed: (problem: Problem) => void): void;
        close(problem: string): void;
    }
    function spawn(arguments: string[], options: { err: "message"; environ: string[] }): Process;
    function logout(reload: boolean): void;
    const transport: {
        wait(ready: () => void): void;
    };
}
